//! The fields of Argo Rollouts, `argoproj.io/v1alpha1`.

use super::{
    Field, METADATA, Shape, any, boolean, field, integer, integer_or_text, labels, list, metadata_of, object,
    text, texts,
};

pub(crate) const ROLLOUT: &[Field] = &[
    text("apiVersion"),
    text("kind"),
    METADATA,
    object(
        "spec",
        &[
            integer("replicas"),
            SELECTOR,
            any("template"),
            object("workloadRef", &[text("apiVersion"), text("kind"), text("name"), text("scaleDown")]),
            integer("minReadySeconds"),
            integer("revisionHistoryLimit"),
            integer("progressDeadlineSeconds"),
            boolean("progressDeadlineAbort"),
            boolean("paused"),
            any("restartAt"),
            object("rollbackWindow", &[integer("revisions")])
                .instead("leave it out; going back to an earlier revision then takes every step"),
            object(
                "analysis",
                &[integer("successfulRunHistoryLimit"), integer("unsuccessfulRunHistoryLimit")],
            ),
            object("strategy", &[object("canary", CANARY), object("blueGreen", BLUE_GREEN)]),
        ],
    ),
    any("status"),
];

pub(crate) const ANALYSIS_TEMPLATE: &[Field] = &[
    text("apiVersion"),
    text("kind"),
    METADATA,
    object("spec", &[list("metrics", &Shape::Object(METRIC)), TEMPLATE_ARGS, TEMPLATES, DRY_RUN, RETENTION]),
    any("status"),
];

/// The kinds of steps of which an element can have only one.
pub(crate) const EXCLUSIVE_STEPS: [&str; 5] = ["setWeight", "pause", "analysis", "experiment", "plugin"];

const CANARY: &[Field] = &[
    text("canaryService"),
    text("stableService"),
    list("steps", &Shape::Object(STEP)),
    integer_or_text("maxSurge"),
    integer_or_text("maxUnavailable"),
    object("trafficRouting", TRAFFIC_ROUTING),
    object(
        "analysis",
        &[TEMPLATES, ARGS, DRY_RUN, RETENTION, metadata_of("analysisRunMetadata"), integer("startingStep")],
    ),
    metadata_of("canaryMetadata"),
    metadata_of("stableMetadata"),
    any("antiAffinity"),
    integer("scaleDownDelaySeconds"),
    integer("scaleDownDelayRevisionLimit"),
    integer("abortScaleDownDelaySeconds"),
    boolean("dynamicStableScale"),
    integer("minPodsPerReplicaSet"),
    object("replicaProgressThreshold", &[text("type"), integer("value")]),
    object("pingPong", &[text("pingService"), text("pongService")])
        .instead("name the two services in `stableService` and `canaryService`"),
];

const STEP: &[Field] = &[
    integer("setWeight"),
    object("pause", &[integer_or_text("duration")]),
    object("setCanaryScale", &[integer("replicas"), integer("weight"), boolean("matchTrafficWeight")]),
    object("analysis", ANALYSIS),
    any("experiment").instead("remove this step; compare the two revisions in an `analysis` step"),
    object(
        "setHeaderRoute",
        &[
            text("name"),
            list("match", &Shape::Object(&[text("headerName"), object("headerValue", STRING_MATCH)])),
        ],
    ),
    object(
        "setMirrorRoute",
        &[
            text("name"),
            list(
                "match",
                &Shape::Object(&[
                    object("method", STRING_MATCH),
                    object("path", STRING_MATCH),
                    field("headers", Shape::MapOf(&Shape::Object(STRING_MATCH))),
                ]),
            ),
            integer("percentage"),
        ],
    ),
    any("plugin").instead("remove this step; step plugins are programs of another process"),
];

const BLUE_GREEN: &[Field] = &[
    text("activeService"),
    text("previewService"),
    integer("previewReplicaCount"),
    boolean("autoPromotionEnabled"),
    integer("autoPromotionSeconds"),
    integer_or_text("maxUnavailable"),
    integer("scaleDownDelaySeconds"),
    integer("scaleDownDelayRevisionLimit"),
    integer("abortScaleDownDelaySeconds"),
    object("prePromotionAnalysis", ANALYSIS),
    object("postPromotionAnalysis", ANALYSIS),
    metadata_of("previewMetadata"),
    metadata_of("activeMetadata"),
    any("antiAffinity"),
];

const ANALYSIS: &[Field] = &[TEMPLATES, ARGS, DRY_RUN, RETENTION, metadata_of("analysisRunMetadata")];

const TEMPLATES: Field = list("templates", &Shape::Object(&[text("templateName"), boolean("clusterScope")]));

const ARGS: Field = list(
    "args",
    &Shape::Object(&[
        text("name"),
        text("value"),
        object("valueFrom", &[text("podTemplateHashValue"), object("fieldRef", &[text("fieldPath")])]),
    ]),
);

const TEMPLATE_ARGS: Field = list(
    "args",
    &Shape::Object(&[
        text("name"),
        text("value"),
        object(
            "valueFrom",
            &[
                object("secretKeyRef", &[text("name"), text("key")])
                    .instead("give the argument a `value`; secrets are not read"),
                object("fieldRef", &[text("fieldPath")]),
            ],
        ),
    ]),
);

const DRY_RUN: Field = list("dryRun", &Shape::Object(&[text("metricName")]));

const RETENTION: Field =
    list("measurementRetention", &Shape::Object(&[text("metricName"), integer("limit")]));

const METRIC: &[Field] = &[
    text("name"),
    text("interval"),
    text("initialDelay"),
    integer_or_text("count"),
    text("successCondition"),
    text("failureCondition"),
    integer_or_text("failureLimit"),
    integer_or_text("inconclusiveLimit"),
    integer_or_text("consecutiveErrorLimit"),
    integer_or_text("consecutiveSuccessLimit"),
    object(
        "provider",
        &[
            object("prometheus", PROMETHEUS),
            any("web").instead(OTHER_PROVIDER),
            any("job").instead(OTHER_PROVIDER),
            any("datadog").instead(OTHER_PROVIDER),
            any("newRelic").instead(OTHER_PROVIDER),
            any("wavefront").instead(OTHER_PROVIDER),
            any("cloudWatch").instead(OTHER_PROVIDER),
            any("graphite").instead(OTHER_PROVIDER),
            any("influxdb").instead(OTHER_PROVIDER),
            object("kayenta", KAYENTA),
            any("skywalking").instead(OTHER_PROVIDER),
            any("plugin").instead(OTHER_PROVIDER),
        ],
    ),
];

const KAYENTA: &[Field] = &[
    text("address"),
    text("application"),
    text("canaryConfigName"),
    text("metricsAccountName"),
    text("configurationAccountName"),
    text("storageAccountName"),
    boolean("lookback").instead("remove it, and say in `start` and `end` of each scope what is looked at"),
    object("threshold", &[integer("pass"), integer("marginal")]),
    list(
        "scopes",
        &Shape::Object(&[
            text("name"),
            object("controlScope", KAYENTA_SCOPE),
            object("experimentScope", KAYENTA_SCOPE),
        ]),
    ),
];

const KAYENTA_SCOPE: &[Field] = &[text("scope"), text("region"), integer("step"), text("start"), text("end")];

const PROMETHEUS: &[Field] = &[
    text("address"),
    text("query"),
    object("rangeQuery", &[text("start"), text("end"), text("step")]),
    list("headers", &Shape::Object(&[text("key"), text("value")])),
    object("authentication", &[any("basicAuth"), any("oauth2"), any("sigv4")])
        .instead("put an `Authorization` header in `headers`"),
    boolean("insecure"),
    integer("timeout"),
];

const SELECTOR: Field = object(
    "selector",
    &[
        labels("matchLabels"),
        list("matchExpressions", &Shape::Object(&[text("key"), text("operator"), texts("values")])),
    ],
);

const TRAFFIC_ROUTING: &[Field] = &[
    list("managedRoutes", &Shape::Object(&[text("name")])),
    integer("maxTrafficWeight"),
    object(
        "istio",
        &[
            object("virtualService", VIRTUAL_SERVICE),
            list("virtualServices", &Shape::Object(VIRTUAL_SERVICE)),
            object(
                "destinationRule",
                &[
                    text("name"),
                    text("canarySubsetName"),
                    text("stableSubsetName"),
                    texts("additionalSubsetNames"),
                ],
            ),
        ],
    ),
    object(
        "nginx",
        &[
            text("stableIngress"),
            texts("stableIngresses"),
            text("annotationPrefix"),
            labels("additionalIngressAnnotations"),
            labels("canaryIngressAnnotations"),
        ],
    ),
    object(
        "alb",
        &[
            text("ingress"),
            texts("ingresses"),
            integer("servicePort"),
            text("rootService"),
            text("annotationPrefix"),
            object("stickinessConfig", &[boolean("enabled"), integer("durationSeconds")]),
        ],
    ),
    object("smi", &[text("rootService"), text("trafficSplitName")]),
    object("ambassador", &[texts("mappings")]),
    object("apisix", &[object("route", &[text("name"), texts("rules")])]),
    object("traefik", &[text("weightedTraefikServiceName")]),
    object(
        "appMesh",
        &[
            object("virtualService", &[text("name"), texts("routes")]),
            object(
                "virtualNodeGroup",
                &[
                    object("canaryVirtualNodeRef", &[text("name")]),
                    object("stableVirtualNodeRef", &[text("name")]),
                ],
            ),
        ],
    ),
    any("plugins"),
];

const VIRTUAL_SERVICE: &[Field] = &[text("name"), texts("routes"), any("tlsRoutes"), any("tcpRoutes")];

const STRING_MATCH: &[Field] = &[text("exact"), text("prefix"), text("regex")];

const OTHER_PROVIDER: &str =
    "only `prometheus` and `kayenta` are judged so far; ask one, or leave this metric out";
