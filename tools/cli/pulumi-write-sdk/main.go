// Command pulumi-write-sdk writes the SDK of a Pulumi package from its schema.
//
// It writes what `pulumi package add` writes. That command needs newer language hosts than those that we can build.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

const usage = "usage: pulumi-write-sdk python|nodejs|go SCHEMA FOLDER VERSION"

func generate(language, schemaFile, version string) (map[string][]byte, error) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		return nil, err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, err
	}
	if spec.Version == "" {
		spec.Version = version // Pulumi takes the provider's in its place
	}
	pkg, problems, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	if err != nil {
		return nil, err
	} else if problems.HasErrors() {
		return nil, problems
	}
	pkg.SupportPack = true // so that the SDK has the schema's version, as from `pulumi package add`
	switch language {
	case "python":
		return python.GeneratePackage("pulumi-write-sdk", pkg, nil, nil)
	case "nodejs":
		return nodejs.GeneratePackage("pulumi-write-sdk", pkg, nil, nil, true, nil)
	case "go":
		return golang.GeneratePackage("pulumi-write-sdk", pkg, nil)
	}
	return nil, fmt.Errorf("no SDK can be written for %q", language)
}

func write(files map[string][]byte, folder string) error {
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	files, err := generate(os.Args[1], os.Args[2], os.Args[4])
	if err == nil {
		err = write(files, os.Args[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
