//! TCP that refuses every address but this machine's own.

use ureq::{
    Error,
    unversioned::transport::{ConnectionDetails, Connector, TcpConnector},
};

/// Judges the resolved addresses, as the guide does, and then connects.
#[derive(Debug, Default)]
pub(super) struct LoopbackOnly(TcpConnector);

impl Connector for LoopbackOnly {
    type Out = <TcpConnector as Connector>::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, below: Option<()>) -> Result<Option<Self::Out>, Error> {
        match details.addrs.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
            None => self.0.connect(details, below),
            Some(outside) => {
                let why =
                    format!("{} is not this machine, and a server with a moved clock calls nobody else", outside.ip());
                Err(Error::Other(why.into()))
            }
        }
    }
}
