import * as twilio from "@pulumi/twilio-caller-id";

const desk = new twilio.OutgoingCallerId("front-desk", {
  phoneNumber: "+14155550101",
  friendlyName: "Front desk",
});

// Known once the code has been keyed in: what uses the sid waits until then.
export const softphone = { callerId: desk.phoneNumber, sid: desk.sid };
