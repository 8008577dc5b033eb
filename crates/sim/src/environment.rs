//! The caller's credentials, which open nothing but a simulation, and the environment of a client that uses them.

/// The access key id of the simulated caller, an IAM user of the management account.
pub const CALLER_ACCESS_KEY_ID: &str = "AKIASIMULATEDCALLER1";

/// The secret that goes with [`CALLER_ACCESS_KEY_ID`]. Signatures are not verified, so any other does as well.
pub const CALLER_SECRET_ACCESS_KEY: &str = "simulated/secret/that/opens/nothing/real";

/// The simulated caller's user name.
pub const CALLER_USER_NAME: &str = "orgsweep";

/// The environment variables that point any AWS client at a simulation that listens at `endpoint`.
#[must_use]
pub fn client_environment(endpoint: &str, region: &str) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", CALLER_ACCESS_KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", CALLER_SECRET_ACCESS_KEY.to_owned()),
        // A token that is left over from other credentials would make these ones invalid.
        ("AWS_SESSION_TOKEN", String::new()),
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_credentials_have_the_shape_of_real_ones() {
        assert_eq!((CALLER_ACCESS_KEY_ID.len(), CALLER_SECRET_ACCESS_KEY.len()), (20, 40));
    }
}
