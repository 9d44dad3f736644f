//! The com.huddle router: generated handler traits and their routes.
