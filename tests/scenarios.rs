//! Server and client together: each scenario is written once, and runs on smol, on Tokio and in simulation.
//!
//! The scenarios of faults and of deadlines run in simulation only, where time and the network do as they are told.

#[path = "scenarios/authorization.rs"]
mod authorization;
#[path = "scenarios/bodies.rs"]
mod bodies;
#[path = "scenarios/cookies.rs"]
mod cookies;
#[path = "scenarios/deadlines.rs"]
mod deadlines;
#[path = "scenarios/endings.rs"]
mod endings;
#[path = "scenarios/ends.rs"]
mod ends;
#[path = "scenarios/failures.rs"]
mod failures;
#[path = "scenarios/peer.rs"]
mod peer;
#[path = "scenarios/pool.rs"]
mod pool;
#[path = "scenarios/requests.rs"]
mod requests;
#[path = "scenarios/secure.rs"]
mod secure;
#[path = "scenarios/signal.rs"]
mod signal;
#[path = "scenarios/streams.rs"]
mod streams;
#[path = "scenarios/vanishing.rs"]
mod vanishing;
#[path = "scenarios/websocket.rs"]
mod websocket;
#[path = "scenarios/websocket_bounds.rs"]
mod websocket_bounds;
#[path = "scenarios/websocket_edges.rs"]
mod websocket_edges;
#[path = "scenarios/websocket_faults.rs"]
mod websocket_faults;
#[path = "scenarios/websocket_opening.rs"]
mod websocket_opening;
#[path = "scenarios/websocket_traffic.rs"]
mod websocket_traffic;
#[path = "scenarios/world.rs"]
mod world;
