"""A dozen events that differ in everything, and what each parameter of SimpleEventQuery finds of them.

The ids stand as the standard's text gives them (EPCIS 2.0, 8.2.7.1).
"""

from __future__ import annotations

from typing import Any

from tests.epcis_rig import facts

EX = "https://ns.example.com/"
ITEM = "urn:epc:id:sgtin:6901234.012345."
LINK = "https://id.gs1.org/01/06901234123456"
LOT = "urn:epc:class:lgtin:6901234.099999.L1"
SITE, GATE = "urn:epc:id:sgln:6901234.00001.0", "urn:epc:id:sgln:6901234.00001.7"
ID = "urn:x:"


def event(name: str, **more: Any) -> dict[str, Any]:
    return facts(eventID=ID + name, **more)


def _sensor(*reports: dict[str, Any], **metadata: Any) -> list[dict[str, Any]]:
    return [{"sensorMetadata": metadata, "sensorReport": list(reports)}]


EVENTS = (
    event(
        "object", eventTime="2026-03-01T10:00:00.000Z", epcList=[f"{ITEM}1", f"{ITEM}2"], action="ADD",
        bizStep="commissioning", disposition="active", readPoint={"id": GATE, "ex:dock": "7"},
        bizLocation={"id": SITE, "ex:floor": "2"},
        ilmd={"ex:lot": "A1", "ex:best": "2026-06-01T00:00:00Z", "ex:farm": {"ex:name": "Green", "ex:acres": "12"}},
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:t:1"}],
    ),
    event(
        "shipped", eventTime="2026-03-02T10:00:00.000Z", epcList=[f"{LINK}/21/2"], bizStep="shipping",
        disposition="in_transit", persistentDisposition={"set": ["completeness_verified"], "unset": ["recalled"]},
        sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:6901234.00001"}],
        destinationList=[{"type": "location", "destination": "urn:epc:id:sgln:6901234.00002.0"}],
        **{"ex:count": 5, "ex:when": "2026-03-02T00:00:00Z", "ex:word": "blue", "ex:box": {"ex:size": "9"}},
    ),
    event(
        "packed", type="AggregationEvent", eventTime="2026-03-03T10:00:00.000Z", epcList=None, action="ADD",
        parentID="urn:epc:id:sscc:6901234.0000000001", childEPCs=[f"{ITEM}2"],
        childQuantityList=[{"epcClass": LOT, "quantity": 10}], bizStep="packing",
    ),
    event(
        "made", type="TransformationEvent", eventTime="2026-03-04T10:00:00.000Z", epcList=None, action=None,
        transformationID="urn:tr:1", inputEPCList=[f"{ITEM}3"], outputEPCList=[f"{ITEM}4"],
        inputQuantityList=[{"epcClass": LOT, "quantity": 2.5, "uom": "KGM"}],
        outputQuantityList=[{"epcClass": "urn:epc:class:lgtin:6901234.088888.L2", "quantity": 2400, "uom": "GRM"}],
    ),
    event(
        "sold", type="TransactionEvent", eventTime="2026-03-05T10:00:00.000Z", action="DELETE",
        bizTransactionList=[{"type": "inv", "bizTransaction": "urn:t:9"}], epcList=[f"{ITEM}5"],
        parentID="urn:epc:id:grai:6901234.12345.8",
    ),
    event(
        "bound", type="AssociationEvent", eventTime="2026-03-06T10:00:00.000Z", epcList=None, action="ADD",
        parentID="urn:epc:id:giai:6901234.tank", childEPCs=["urn:epc:id:giai:6901234.probe"],
    ),
    event(
        "warm", eventTime="2026-03-07T10:00:00.000Z", bizStep="sensor_reporting",
        sensorElementList=_sensor(
            {
                "type": "Temperature", "value": 20, "uom": "CEL", "minValue": 18, "maxValue": 25, "meanValue": 21,
                "sDev": 5, "percRank": 90, "percValue": 24, "deviceID": "urn:epc:id:giai:6901234.d1",
                "ex:rack": "top",
            },
            {"type": "RelativeHumidity", "value": 55, "uom": "P1"},
            deviceID="urn:d:meta", time="2026-03-07T09:00:00Z", startTime="2026-03-07T08:00:00Z",
            endTime="2026-03-07T09:30:00Z", dataProcessingMethod="https://example.com/method", **{"ex:room": "12"},
        ),
    ),
    event(
        "tested", eventTime="2026-03-08T10:00:00.000Z",
        sensorElementList=_sensor(
            {
                "type": "Temperature", "value": 41, "uom": "FAH", "microorganism": "https://example.com/salmonella",
                "chemicalSubstance": "https://example.com/lead", "bizRules": "https://example.com/rules",
                "stringValue": "cloudy", "booleanValue": True, "hexBinaryValue": "F00d",
                "uriValue": "https://example.com/value",
            }
        ),
    ),
    event(
        "error", eventTime="2026-03-09T10:00:00.000Z",
        errorDeclaration={
            "declarationTime": "2026-03-10T00:00:00.000Z", "reason": "did_not_occur",
            "correctiveEventIDs": [ID + "object"], "ex:who": "Li", "ex:more": {"ex:page": "3"},
        },
    ),
)  # fmt: skip
MASTER = {
    "epcisHeader": {
        "epcisMasterData": {
            "vocabularyList": [
                {
                    "type": "urn:epcglobal:epcis:vtype:BusinessLocation",
                    "vocabularyElementList": [
                        {
                            "id": "urn:epc:id:sgln:6901234.00009.0", "children": [SITE],
                            "attributes": [{"id": "cbvmda:city", "attribute": "Shenzhen"}],
                        },
                        {
                            "id": SITE, "children": [GATE],
                            "attributes": [{"id": "cbvmda:city", "attribute": "Guangzhou"}],
                        },
                    ],
                }
            ]
        }
    }
}  # fmt: skip

# (parameters, the events that are found)
CASES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "object shipped packed made sold bound warm tested error"),
    ({"eventType": "ObjectEvent|TransformationEvent"}, "object shipped made warm tested error"),
    ({"eventType": ["https://example.com/own"]}, ""),
    ({"GE_eventTime": "2026-03-08T10:00:00Z"}, "tested error"),
    ({"GE_eventTime": "2026-03-08T18:00:00+08:00", "LT_eventTime": "2026-03-09T10:00:00Z"}, "tested"),
    ({"GE_recordTime": "2026-03-20T00:00:00Z"}, "object shipped packed made sold bound warm tested error"),
    ({"LT_recordTime": "2026-03-20T00:00:00Z"}, ""),
    ({"EQ_action": "ADD"}, "object packed bound"),
    ({"EQ_action": ["ADD", "DELETE"]}, "object packed sold bound"),
    ({"EQ_bizStep": "shipping|urn:epcglobal:cbv:bizstep:packing"}, "shipped packed"),
    ({"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"}, "shipped"),
    ({"EQ_disposition": "active"}, "object"),
    ({"EQ_persistentDisposition_set": "completeness_verified"}, "shipped"),
    ({"EQ_persistentDisposition_unset": "recalled"}, "shipped"),
    ({"EQ_persistentDisposition_set": "recalled"}, ""),
    ({"EQ_readPoint": GATE}, "object"),
    ({"EQ_readPoint": "https://example.com/414/6901234000016/254/7"}, "object"),
    ({"EQ_readPoint": SITE}, ""),
    ({"WD_readPoint": SITE}, "object"),
    ({"WD_readPoint": "urn:epc:id:sgln:6901234.00009.0"}, "object"),
    ({"EQ_bizLocation": SITE}, "object"),
    ({"WD_bizLocation": "urn:epc:id:sgln:6901234.00009.0"}, "object"),
    ({"WD_bizLocation": GATE}, ""),
    ({"EQ_transformationID": "urn:tr:1"}, "made"),
    ({"EQ_bizTransaction_po": "urn:t:1"}, "object"),
    ({"EQ_bizTransaction_inv": "urn:t:1"}, ""),
    ({"EQ_bizTransaction_urn:epcglobal:cbv:btt:inv": "urn:t:9"}, "sold"),
    ({"EQ_source_owning_party": "https://id.gs1.org/417/6901234000016"}, "shipped"),
    ({"EQ_destination_location": "urn:epc:id:sgln:6901234.00002.0"}, "shipped"),
    ({"EQ_destination_owning_party": "urn:epc:id:sgln:6901234.00002.0"}, ""),
    ({"MATCH_epc": f"{ITEM}2"}, "object shipped packed"),
    ({"MATCH_epc": f"{LINK}/21/2"}, "object shipped packed"),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:6901234.012345.*"}, "object shipped packed sold warm tested error"),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:6901234.*.*", "eventType": "AggregationEvent"}, "packed"),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:6901239.*.*"}, ""),
    ({"MATCH_parentID": "urn:epc:id:sscc:6901234.0000000001"}, "packed"),
    ({"MATCH_parentID": "urn:epc:idpat:sscc:6901234.*"}, "packed"),
    ({"MATCH_parentID": "urn:epc:idpat:grai:6901234.12345.*"}, "sold"),
    ({"MATCH_inputEPC": f"{ITEM}3"}, "made"),
    ({"MATCH_outputEPC": f"{ITEM}3"}, ""),
    ({"MATCH_outputEPC": f"{ITEM}4"}, "made"),
    ({"MATCH_anyEPC": f"{ITEM}4|urn:epc:id:giai:6901234.probe"}, "made bound"),
    ({"MATCH_anyEPC": "urn:epc:id:sscc:6901234.0000000001"}, "packed"),
    ({"MATCH_epcClass": LOT}, "packed"),
    ({"MATCH_inputEPCClass": LOT}, "made"),
    ({"MATCH_outputEPCClass": LOT}, ""),
    ({"MATCH_outputEPCClass": "urn:epc:idpat:lgtin:6901234.088888.*"}, "made"),
    ({"MATCH_anyEPCClass": LOT}, "packed made"),
    ({"EQ_quantity": 10}, "packed"),
    ({"EQ_quantity": "10|2.5"}, "packed made"),
    ({"GT_quantity": 10}, "made"),
    ({"GE_quantity": 10}, "packed made"),
    ({"LT_quantity": 10}, "made"),
    ({"LE_quantity": "10"}, "packed made"),
    ({"GT_quantity_KGM": 2.4}, "made"),
    ({"EQ_quantity_KGM": [2.4]}, "made"),
    ({"LT_quantity_GRM": 2400}, ""),
    ({"EQ_eventID": f"{ID}sold|{ID}warm|{ID}nothing"}, "sold warm"),
    ({"EXISTS_errorDeclaration": True}, "error"),
    ({"EXISTS_errorDeclaration": False, "EQ_action": "DELETE"}, "sold"),
    ({"GE_errorDeclarationTime": "2026-03-10T00:00:00Z"}, "error"),
    ({"LT_errorDeclarationTime": "2026-03-10T00:00:00Z"}, ""),
    ({"GE_errorDeclaration_Time": "2026-03-10T00:00:00Z"}, "error"),
    ({"LT_errorDeclaration_Time": "2026-03-11T00:00:00Z"}, "error"),
    ({"EQ_errorReason": "did_not_occur"}, "error"),
    ({"EQ_errorReason": "incorrect_data"}, ""),
    ({"EQ_correctiveEventID": f"{ID}object"}, "error"),
    ({"EXISTS_sensorElementList": ""}, "warm tested"),
    ({"GE_time": "2026-03-07T09:00:00Z"}, "warm"),
    ({"LT_time": "2026-03-07T09:00:00Z"}, ""),
    ({"GE_startTime": "2026-03-07T08:00:00Z"}, "warm"),
    ({"LT_startTime": "2026-03-07T08:00:01Z"}, "warm"),
    ({"GE_endTime": "2026-03-07T09:31:00Z"}, ""),
    ({"LT_endTime": "2026-03-07T09:31:00Z"}, "warm"),
    ({"EQ_type": "Temperature"}, "warm tested"),
    ({"EQ_type": "gs1:RelativeHumidity"}, "warm"),
    ({"EQ_deviceID": "urn:epc:id:giai:6901234.d1"}, "warm"),
    ({"EQ_deviceID": "urn:d:meta"}, "warm"),
    ({"EQ_dataProcessingMethod": "https://example.com/method"}, "warm"),
    ({"EQ_microorganism": "https://example.com/salmonella"}, "tested"),
    ({"EQ_chemicalSubstance": "https://example.com/lead"}, "tested"),
    ({"EQ_bizRules": "https://example.com/rules"}, "tested"),
    ({"EQ_stringValue": "cloudy|clear"}, "tested"),
    ({"EQ_booleanValue": "true"}, "tested"),
    ({"EQ_booleanValue": False}, ""),
    ({"EQ_hexBinaryValue": "f00D"}, "tested"),
    ({"EQ_uriValue": "https://example.com/value"}, "tested"),
    ({"EQ_percRank": 90}, "warm"),
    ({"GT_percRank": 90}, ""),
    ({"GE_percRank": 90}, "warm"),
    ({"LT_percRank": 91}, "warm"),
    ({"LE_percRank": 89}, ""),
    ({"EQ_value_FAH": "68"}, "warm"),
    ({"EQ_value_CEL": "5|6"}, "tested"),
    ({"GE_value_CEL": 5}, "warm tested"),
    ({"GT_value_KEL": 278.15}, "warm"),
    ({"LT_value_CEL": 5.1}, "tested"),
    ({"LE_value_P1": 55}, "warm"),
    ({"GE_minValue_CEL": 18}, "warm"),
    ({"GT_maxValue_CEL": 25}, ""),
    ({"LE_meanValue_FAH": 69.8}, "warm"),
    ({"EQ_sDev_FAH": 9}, "warm"),
    ({"EQ_percValue_CEL": 24}, "warm"),
    ({"EQ_ex:word": "blue|green"}, "shipped"),
    ({"EQ_https://ns.example.com/word": "blue"}, "shipped"),
    ({"EQ_ex:count": 5}, "shipped"),
    ({"EQ_ex:count": "5"}, "shipped"),
    ({"GT_ex:count": 4.5}, "shipped"),
    ({"LE_ex:count": 4}, ""),
    ({"GE_ex:when": "2026-03-01T16:00:00-08:00"}, "shipped"),
    ({"LT_ex:when": "2026-03-02T00:00:00Z"}, ""),
    ({"EXISTS_ex:word": True}, "shipped"),
    ({"EXISTS_ex:size": True}, ""),
    ({"EXISTS_INNER_ex:size": None}, "shipped"),
    ({"EQ_INNER_ex:size": "9"}, "shipped"),
    ({"GE_INNER_ex:size": 9}, "shipped"),
    ({"EQ_ILMD_ex:lot": "A1"}, "object"),
    ({"EQ_ex:lot": "A1"}, ""),
    ({"EXISTS_ILMD_ex:lot": 1}, "object"),
    ({"LT_ILMD_ex:best": "2026-07-01T00:00:00Z"}, "object"),
    ({"EQ_INNER_ILMD_ex:name": "Green"}, "object"),
    ({"GT_INNER_ILMD_ex:acres": 11}, "object"),
    ({"EXISTS_INNER_ILMD_ex:name": ""}, "object"),
    ({"EQ_ERROR_DECLARATION_ex:who": "Li"}, "error"),
    ({"EXISTS_ERROR_DECLARATION_ex:who": ""}, "error"),
    ({"LE_INNER_ERROR_DECLARATION_ex:page": 3}, "error"),
    ({"EXISTS_INNER_ERROR_DECLARATION_ex:page": ""}, "error"),
    ({"EQ_SENSORREPORT_ex:rack": "top"}, "warm"),
    ({"EQ_SENSORMETADATA_ex:room": "12"}, "warm"),
    ({"GE_SENSORMETADATA_ex:room": 12}, "warm"),
    ({"EXISTS_SENSORELEMENT_ex:room": ""}, ""),
    ({"EQ_readPoint_ex:dock": "7"}, "object"),
    ({"EQ_bizLocation_ex:floor": "2"}, "object"),
    ({"EQ_bizLocation_ex:dock": "7"}, ""),
    ({"HASATTR_bizLocation": "cbvmda:city"}, "object"),
    ({"HASATTR_readPoint": "cbvmda:city"}, ""),
    ({"EQATTR_bizLocation_cbvmda:city": "Guangzhou|Beijing"}, "object"),
    ({"EQATTR_bizLocation_cbvmda:city": "Shenzhen"}, ""),
    ({"EQ_action": "ADD", "EQ_bizStep": "packing", "MATCH_anyEPC": f"{ITEM}2"}, "packed"),
)
