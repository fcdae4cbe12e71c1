//! The fields of Flagger, `flagger.app/v1beta1`.

use super::{
    Field, METADATA, Shape, any, boolean, field, integer, integer_or_text, labels, list, metadata_of, number,
    object, text, texts,
};

pub(crate) const CANARY: &[Field] = &[
    text("apiVersion"),
    text("kind"),
    METADATA,
    object(
        "spec",
        &[
            text("provider"),
            text("metricsServer"),
            object("targetRef", REFERENCE),
            object(
                "autoscalerRef",
                &[
                    text("apiVersion"),
                    text("kind"),
                    text("name"),
                    labels("primaryScalerQueries"),
                    object("primaryScalerReplicas", &[integer("minReplicas"), integer("maxReplicas")]),
                ],
            ),
            object("ingressRef", REFERENCE),
            object("routeRef", REFERENCE),
            object("upstreamRef", &[text("apiVersion"), text("kind"), text("name"), text("namespace")]),
            object("service", SERVICE),
            object("analysis", ANALYSIS),
            integer("progressDeadlineSeconds"),
            boolean("skipAnalysis"),
            boolean("revertOnDeletion"),
            boolean("suspend"),
        ],
    ),
    any("status"),
];

pub(crate) const METRIC_TEMPLATE: &[Field] = &[
    text("apiVersion"),
    text("kind"),
    METADATA,
    object(
        "spec",
        &[
            object(
                "provider",
                &[
                    text("type"),
                    text("address"),
                    labels("headers"),
                    boolean("insecureSkipVerify"),
                    object("secretRef", &[text("name")])
                        .instead("put what the secret holds into `headers`; secrets are not read"),
                    text("region"),
                ],
            ),
            text("query"),
        ],
    ),
    any("status"),
];

const REFERENCE: &[Field] = &[text("apiVersion"), text("kind"), text("name")];

const SERVICE: &[Field] = &[
    text("name"),
    integer("port"),
    text("portName"),
    integer_or_text("targetPort"),
    text("appProtocol"),
    text("trafficDistribution"),
    boolean("portDiscovery"),
    boolean("headless"),
    text("timeout"),
    text("backendTimeout"),
    texts("gateways"),
    any("gatewayRefs"),
    texts("hosts"),
    boolean("delegation"),
    any("trafficPolicy"),
    any("match"),
    object("rewrite", &[text("uri"), text("authority"), text("type")]),
    object("retries", &[integer("attempts"), text("perTryTimeout"), text("retryOn")]),
    any("headers"),
    any("mirror"),
    any("corsPolicy"),
    text("meshName"),
    texts("backends"),
    metadata_of("apex"),
    metadata_of("primary"),
    metadata_of("canary"),
    object("unmanagedMetadata", &[texts("labels"), texts("annotations")]),
];

const ANALYSIS: &[Field] = &[
    text("interval"),
    integer("threshold"),
    integer("maxWeight"),
    integer("stepWeight"),
    list("stepWeights", &Shape::Integer),
    integer("stepWeightPromotion"),
    integer("iterations"),
    list("match", &Shape::Object(MATCH)),
    boolean("mirror"),
    integer("mirrorWeight"),
    any("sessionAffinity").instead("leave it out; a subject may see both revisions while the weight moves"),
    integer("primaryReadyThreshold"),
    integer("canaryReadyThreshold"),
    list("metrics", &Shape::Object(METRIC)),
    any("webhooks").instead("leave them out, and do by hand what they do (gates, load, tests, reports)"),
    any("alerts").instead("leave them out; what happens is told in the history of the rollout"),
];

const MATCH: &[Field] = &[
    field("headers", Shape::MapOf(&Shape::Object(STRING_MATCH))),
    any("queryParams").instead("match a header instead"),
    any("sourceLabels").instead("match a header instead"),
];

const STRING_MATCH: &[Field] = &[
    text("exact"),
    text("prefix"),
    text("suffix").instead("write it as a regular expression: `regex: .*SUFFIX`"),
    text("regex"),
];

const METRIC: &[Field] = &[
    text("name"),
    text("interval"),
    object("thresholdRange", &[number("min"), number("max")]),
    number("threshold"),
    text("query"),
    object("templateRef", &[text("name"), text("namespace")]),
    labels("templateVariables"),
];
