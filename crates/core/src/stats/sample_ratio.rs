//! Whether subjects were split as planned.
