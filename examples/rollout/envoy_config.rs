//! Envoy's configuration, as Envoy reads it.

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};
use serinus::{
    port::{Fence, Fenced, PortError, PortErrorKind},
    traffic::{Match, Pattern, Revision, Route, Weight},
};

use crate::{
    envoy::ROUTES,
    load::PREVIEW_HOST,
    workload::{CANDIDATE, STABLE},
};

/// What Envoy starts with: one listener, whose routes come from the watched folder, and a cluster for each version.
pub(crate) fn bootstrap(folder: &Path, stable: SocketAddr, candidate: SocketAddr) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        "rds": {
            "route_config_name": "rollout",
            "config_source": {
                "resource_api_version": "V3",
                "path_config_source": {
                    "path": folder.join(ROUTES),
                    "watched_directory": {"path": folder},
                },
            },
        },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
    });
    json!({
        "node": {"id": "rollout", "cluster": "rollout"},
        // Histograms are merged only when statistics are flushed.
        "stats_flush_interval": "0.500s",
        "admin": {"address": loopback(0)},
        "static_resources": {
            "listeners": [{
                "name": "front",
                "address": loopback(0),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }]}],
            }],
            "clusters": [cluster(STABLE, stable), cluster(CANDIDATE, candidate)],
        },
    })
}

/// A route as a file of routes. With a fence, the fence and the route stand in it, too.
pub(crate) fn route_file(route: &Route, fence: Option<Fence>) -> Value {
    let candidate = route.candidate.as_ref();
    let mut routes: Vec<Value> = Vec::new();
    if let Some(candidate) = candidate {
        routes.extend(
            route.matches.iter().map(|one| json!({"match": matching(one), "route": {"cluster": candidate}})),
        );
    }
    let share = |revision: &Revision, weight: Weight| json!({"name": revision, "weight": weight.parts()});
    let mut shares = vec![share(&route.stable, route.weight.rest())];
    shares.extend(candidate.map(|candidate| share(candidate, route.weight)));
    let mut split = json!({"weighted_clusters": {"clusters": shares}});
    if let (Some(candidate), false) = (candidate, route.mirror.is_zero()) {
        let share = json!({"numerator": u64::from(route.mirror.parts()) * 10, "denominator": "MILLION"});
        split["request_mirror_policies"] =
            json!([{"cluster": candidate, "runtime_fraction": {"default_value": share}}]);
    }
    routes.push(json!({"match": {"prefix": "/"}, "route": split}));
    let preview = candidate.filter(|_| route.preview).unwrap_or(&route.stable);
    let preview = json!([{"match": {"prefix": "/"}, "route": {"cluster": preview}}]);
    let mut configuration = json!({
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": "rollout",
        "virtual_hosts": [
            {"name": "preview", "domains": [PREVIEW_HOST], "routes": preview},
            {"name": "front", "domains": ["*"], "routes": routes},
        ],
    });
    if let Some(fence) = fence {
        // As texts: a number in Envoy's metadata is a float.
        configuration["metadata"] = json!({"filter_metadata": {"serinus": {
            "fence": json!(fence).to_string(),
            "route": json!(route).to_string(),
        }}});
    }
    let version = fence.map_or_else(|| "0".to_owned(), |fence| fence.to_string());
    json!({"version_info": version, "resources": [configuration]})
}

/// The fence and the route in a route configuration; none if it is not one of ours.
pub(crate) fn fence_and_route(configuration: &Value) -> Result<Option<Fenced<Route>>, PortError> {
    let ours = &configuration["metadata"]["filter_metadata"]["serinus"];
    let (Some(fence), Some(route)) = (ours["fence"].as_str(), ours["route"].as_str()) else {
        return Ok(None);
    };
    let garbled = |error| PortError::new(PortErrorKind::Invalid, error);
    let fence = serde_json::from_str(fence).map_err(garbled)?;
    Ok(Some(Fenced { value: serde_json::from_str(route).map_err(garbled)?, fence: Some(fence) }))
}

fn matching(one: &Match) -> Value {
    let mut headers: Vec<Value> = one
        .headers
        .iter()
        .map(|header| json!({"name": header.name, "string_match": text_matching(&header.value)}))
        .collect();
    headers.extend(one.cookies.iter().map(|cookie| {
        let value = match &cookie.value {
            Pattern::Exact(text) => literal(text),
            Pattern::Prefix(text) => format!("{}[^;]*", literal(text)),
            Pattern::Regex(regex) => format!("(?:{regex})"),
            _ => String::new(),
        };
        let regex = format!("(?:.*; *)?{}={value}(?:;.*)?", literal(&cookie.name));
        json!({"name": "cookie", "string_match": {"safe_regex": {"regex": regex}}})
    }));
    let mut matching = match &one.path {
        None => json!({"prefix": "/"}),
        Some(Pattern::Exact(path)) => json!({"path": path}),
        Some(Pattern::Regex(regex)) => json!({"safe_regex": {"regex": regex}}),
        Some(Pattern::Prefix(path)) => json!({"prefix": path}),
        Some(_) => json!({"prefix": "/"}),
    };
    matching["headers"] = headers.into();
    matching
}

fn text_matching(pattern: &Pattern) -> Value {
    match pattern {
        Pattern::Exact(text) => json!({"exact": text}),
        Pattern::Prefix(text) => json!({"prefix": text}),
        Pattern::Regex(regex) => json!({"safe_regex": {"regex": regex}}),
        _ => json!({"exact": ""}),
    }
}

/// A text as a regular expression that fits it alone.
fn literal(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let is_plain = letter.is_alphanumeric() || letter == '_' || letter == '-';
            (!is_plain).then_some('\\').into_iter().chain([letter])
        })
        .collect()
}

fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": loopback(address.port())}}]}],
        },
    })
}

fn loopback(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
