//! Typed fields: the examples of the RFCs, tables of odd input, and properties over many seeds.

mod caching;
mod conditions;
mod dates;
mod forwarding;
mod links;
mod lists;
mod negotiation;
mod properties;
mod ranges;
mod support;
