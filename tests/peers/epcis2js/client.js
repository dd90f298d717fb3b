// Captures through epcis2.js, follows its job, asks for the events and gives them to epcis2.js again.
// One line of JSON on standard output says what it saw. Run with the server's URL and a document's path.
const { readFileSync } = require('node:fs');
const {
  CaptureResponse, EPCISDocument, ObjectEvent, capture, cbv, eventToHashedId, objectToEvent, setup,
} = require('epcis2.js');

async function main(apiUrl, path) {
  setup({ apiUrl, eventTimeZoneOffset: '+08:00', headers: { 'content-type': 'application/json' } });

  // A document of others, as it is.
  const given = new EPCISDocument(JSON.parse(readFileSync(path, 'utf8')));
  const first = new CaptureResponse(await capture(given));
  await first.pollForTheCaptureToFinish(2, 10);

  // An event that is put together with its classes.
  const event = new ObjectEvent()
    .setAction(cbv.actionTypes.observe)
    .setBizStep(cbv.bizSteps.shipping)
    .setEventTime('2026-03-01T10:00:00.000Z')
    .addEPC('urn:epc:id:sgtin:6901234.012345.77');
  const own = new EPCISDocument().setCreationDate('2026-03-01T10:00:00.000Z').addEventList([event]);
  const response = await capture(own);
  const second = new CaptureResponse(response);
  await second.pollForTheCaptureToFinish(2, 10);

  const answer = await fetch(`${apiUrl}events?eventType=ObjectEvent&MATCH_anyEPC=urn:epc:id:sgtin:6901234.012345.77`, {
    headers: { 'GS1-EPC-Format': 'Never_Translates' },
  });
  const found = await answer.json();
  const [told] = found.epcisBody.queryResults.resultsBody.eventList;
  const read = objectToEvent(told);
  const refused = await fetch(`${apiUrl}events?EQ_nonsense=1`);
  console.log(JSON.stringify({
    status: response.status,
    jobs: [first, second].map((job) => [job.getRunningStatus(), job.getSuccessStatus(), job.getErrors()]),
    valid: read.isValid(),
    epcs: read.getEPCList(),
    eventID: told.eventID,
    hash: eventToHashedId(told, {}),
    problem: [refused.status, (await refused.json()).type],
  }));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
