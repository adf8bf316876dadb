module caller-ids-in-go

go 1.25

require (
	example.com/pulumi-twilio-caller-id/sdk/go v0.0.0
	github.com/pulumi/pulumi/sdk/v3 v3.274.1
)

replace example.com/pulumi-twilio-caller-id/sdk/go => ./sdks/twilio-caller-id
