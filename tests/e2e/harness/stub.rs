//! A server of one sentence for each call, for organizations that no other server would make.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::{Environment, any_keys};

const IDENTITY: &str = concat!(
    r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>"#,
    "<Arn>arn:aws:iam::111122223333:user/tester</Arn><UserId>AIDA</UserId><Account>111122223333</Account>",
    "</GetCallerIdentityResult></GetCallerIdentityResponse>",
);
const ORGANIZATION: &str =
    r#"{"Organization":{"Id":"o-aa111bb222","MasterAccountId":"111122223333","FeatureSet":"ALL"}}"#;
const NO_ACCOUNTS: &str = r#"{"Accounts":[]}"#;

/// An organization that lists no accounts at all.
pub struct Stub {
    /// The variables for its clients.
    pub environment: Environment,
}

impl Stub {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || answer(&client));
            }
        });
        Self { environment: any_keys(&format!("http://{address}")) }
    }
}

/// Answers request after request, until the client goes.
fn answer(client: &TcpStream) {
    let mut reader = BufReader::new(client);
    while let Some(request) = read_request(&mut reader) {
        let (kind, body) = if request.contains("ListAccounts") {
            ("application/x-amz-json-1.1", NO_ACCOUNTS)
        } else if request.contains("DescribeOrganization") {
            ("application/x-amz-json-1.1", ORGANIZATION)
        } else {
            ("text/xml", IDENTITY)
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut writer = client;
        if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// One request, head and body; `None` where there is no more.
fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let line = request.get(start..)?.trim().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            reader.take(length).read_to_string(&mut request).ok()?;
            return Some(request);
        }
    }
}
