// Who has which role where: one role by itself, and one token in every deployment of a workspace.
import * as pulumi from "@pulumi/pulumi";
import * as astro from "pulumi-astro";

const role = new pulumi.Config().require("role");

const binding = new astro.DeploymentOrgTokenBinding("observability-in-etl-staging", {
    deploymentName: "etl-staging",
    orgTokenName: "observability",
    role,
});

// A table is one resource, so its deployments may be an output. Its keys are names or ids of Astro.
const finance = astro.getDeploymentsOutput({ workspace: "Finance" }).deployments;
new astro.DeploymentOrgTokenBindings("finance", {
    roles: finance.apply((deployments) =>
        Object.fromEntries(deployments.map((one) => [one.id, { observability: "DEPLOYMENT_ACCESSOR" }])),
    ),
});

export const tokenId = binding.orgTokenId;
