package main

import (
	twilio "example.com/pulumi-twilio-caller-id/sdk/go/twiliocallerid"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		desk, err := twilio.NewOutgoingCallerId(ctx, "front-desk", &twilio.OutgoingCallerIdArgs{
			PhoneNumber:  pulumi.String("+14155550101"),
			FriendlyName: pulumi.String("Front desk"),
		})
		if err != nil {
			return err
		}
		// Known once the code has been keyed in: what uses the sid waits until then.
		ctx.Export("softphone", pulumi.Map{"callerId": desk.PhoneNumber, "sid": desk.Sid})
		return nil
	})
}
