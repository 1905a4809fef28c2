// Who has which role where: one role by itself, and one token in every deployment of a workspace.
package main

import (
	"example.com/pulumi-astro/sdk/go/astro"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		binding, err := astro.NewDeploymentOrgTokenBinding(ctx, "observability-in-etl-staging", &astro.DeploymentOrgTokenBindingArgs{
			DeploymentName: pulumi.String("etl-staging"),
			OrgTokenName:   pulumi.String("observability"),
			Role:           pulumi.String(config.New(ctx, "").Require("role")),
		})
		if err != nil {
			return err
		}

		finance, err := astro.GetDeployments(ctx, &astro.GetDeploymentsArgs{Workspace: pulumi.StringRef("Finance")})
		if err != nil {
			return err
		}
		roles := pulumi.StringMapMap{} // its keys are names or ids of Astro
		for _, deployment := range finance.Deployments {
			roles[deployment.Id] = pulumi.StringMap{"observability": pulumi.String("DEPLOYMENT_ACCESSOR")}
		}
		if _, err := astro.NewDeploymentOrgTokenBindings(ctx, "finance", &astro.DeploymentOrgTokenBindingsArgs{
			Roles: roles,
		}); err != nil {
			return err
		}

		ctx.Export("tokenId", binding.OrgTokenId)
		return nil
	})
}
