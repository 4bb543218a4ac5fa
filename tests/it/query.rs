//! Queries: what passes a filter, what is found, in which order, and what is refused.

mod answers;
mod filters;
mod library;
mod load;
mod model;
mod pages;
mod recall;
mod refusals;
mod terms;
