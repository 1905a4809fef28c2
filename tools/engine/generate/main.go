// Writes the SDKs for TypeScript and Go as `pulumi package add` does, by the generators of the engine that go.mod pins.
// The language hosts, which call these generators there, are in no registry of Go modules.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// Loads the packages that a schema refers to. Ours refers to none, so none of its methods is called.
type none struct{ schema.ReferenceLoader }

// Reads the schema of a provider from standard input; writes below the directory that is the only argument.
func main() {
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(directory string) error {
	var spec schema.PackageSpec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		return err
	}
	for language, generator := range map[string]func(*schema.Package) (map[string][]byte, error){
		"nodejs": func(one *schema.Package) (map[string][]byte, error) {
			return nodejs.GeneratePackage("pulumi-language-nodejs", one, nil, nil, true, none{})
		},
		"go": func(one *schema.Package) (map[string][]byte, error) {
			return gen.GeneratePackage("pulumi-language-go", one, nil)
		},
	} {
		bound, problems, err := schema.BindSpec(spec, none{}, schema.ValidationOptions{})
		if err != nil {
			return err
		}
		if len(problems) > 0 { // a warning too: the schema is ours
			return problems
		}
		files, err := generator(bound)
		if err != nil {
			return err
		}
		for name, text := range files {
			file := filepath.Join(directory, language, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(file, text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
