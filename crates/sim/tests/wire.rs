//! The HTTP face, by a client that knows nothing but bytes: the three protocols, and what is malformed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by failing"
)]

use std::sync::Arc;

use base64::Engine as _;
use orgsweep_sim::{CALLER_ACCESS_KEY_ID, Hostility, Mix, PerMille, Profile, SimSettings, Simulation, serve};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The text of the first element of this name.
    fn element(&self, name: &str) -> &str {
        let after = self.body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name} in {}", self.body)).1;
        after.split_once(&format!("</{name}>")).unwrap().0
    }
}

struct Client {
    stream: TcpStream,
}

impl Client {
    /// Sends bytes as they are, and reads one answer.
    async fn raw(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.unwrap();
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = whole_answer(&bytes) {
                return answer;
            }
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk).await.unwrap();
            assert!(read > 0, "the connection was closed");
            bytes.extend_from_slice(&chunk[..read]);
        }
    }

    async fn post(&mut self, path: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!("POST {path} HTTP/1.1\r\nHost: sim\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.raw(request.as_bytes()).await
    }

    async fn query(&mut self, signer: &str, body: &str) -> Answer {
        self.post("/", signer, body).await
    }

    async fn organizations(&mut self, operation: &str, body: &str) -> Answer {
        let target = format!("X-Amz-Target: AWSOrganizationsV20161128.{operation}\r\n{}", caller());
        self.post("/", &target, body).await
    }
}

fn whole_answer(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let lower = head.to_lowercase();
    let length: usize = lower.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    (body.len() >= length).then(|| Answer { status, head: lower, body: body.to_owned() })
}

fn caller() -> String {
    signed(CALLER_ACCESS_KEY_ID, None)
}

fn signed(access_key_id: &str, token: Option<&str>) -> String {
    let token = token.map(|token| format!("X-Amz-Security-Token: {token}\r\n")).unwrap_or_default();
    let scope = format!("Credential={access_key_id}/20261122/us-east-1/iam/aws4_request");
    format!("Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n{token}")
}

async fn start() -> (Client, Arc<Simulation>) {
    start_with(Hostility::NONE).await
}

async fn start_with(hostility: Hostility) -> (Client, Arc<Simulation>) {
    let profile = Profile { hostility, ..Profile::instant() };
    let settings = SimSettings { accounts: 45, mix: Mix::default().readable(), profile, ..SimSettings::default() };
    let simulation = Arc::new(Simulation::new(&settings));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Arc::clone(&simulation)));
    (Client { stream: TcpStream::connect(address).await.unwrap() }, simulation)
}

async fn open(client: &mut Client, simulation: &Simulation, index: u32) -> String {
    let account = simulation.model().account_id(index);
    let body = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=wire\
         &RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2Forgsweep-scanner"
    );
    let answer = client.query(&caller(), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""));
    signed(answer.element("AccessKeyId"), Some(answer.element("SessionToken")))
}

#[tokio::test]
async fn the_query_protocol_carries_a_report_from_start_to_end_over_one_connection() {
    let (mut client, simulation) = start().await;
    let index = (1..=45).find(|index| simulation.model().earlier_report(*index).is_none()).unwrap();
    let session = open(&mut client, &simulation, index).await;
    let ask = |action: &str| format!("Action={action}&Version=2010-05-08");
    let absent = client.query(&session, &ask("GetCredentialReport")).await;
    assert_eq!((absent.status, absent.element("Code")), (410, "ReportNotPresent"));
    assert_eq!((absent.element("Type"), absent.element("RequestId").len()), ("Sender", 36));
    let started = client.query(&session, &ask("GenerateCredentialReport")).await;
    assert_eq!((started.status, started.element("State")), (200, "STARTED"));
    let report = client.query(&session, &ask("GetCredentialReport")).await;
    assert!(report.body.starts_with(
        "<GetCredentialReportResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetCredentialReportResult>"
    ));
    let content = base64::engine::general_purpose::STANDARD.decode(report.element("Content")).unwrap();
    let mut expected = Vec::new();
    orgsweep_sim::write_report(simulation.model(), index, simulation.model().now(), &mut expected);
    assert_eq!((content, report.element("ReportFormat")), (expected, "text/csv"));
    assert!(report.head.contains("content-type: text/xml") && report.head.contains("x-amzn-requestid: "));
    assert!(report.element("ResponseMetadata").starts_with("<RequestId>"));
}

#[tokio::test]
async fn organizations_speaks_json_1_1() {
    let (mut client, simulation) = start().await;
    let described = client.organizations("DescribeOrganization", "{}").await;
    assert_eq!(described.json()["Organization"]["Id"], simulation.model().organization().id.as_str());
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let body = serde_json::json!({"NextToken": token, "MaxResults": 7}).to_string();
        let page = client.organizations("ListAccounts", &body).await;
        assert!(page.head.contains("content-type: application/x-amz-json-1.1"));
        let page = page.json();
        let accounts = page["Accounts"].as_array().unwrap();
        assert!(accounts.len() <= 7);
        names.extend(accounts.iter().map(|account| account["Name"].as_str().unwrap().to_owned()));
        token = page["NextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!((names.len(), names[0].as_str()), (46, "management"));
    let refused = client.organizations("ListAccounts", r#"{"MaxResults":21}"#).await;
    assert_eq!((refused.status, &refused.json()["__type"]), (400, &Value::from("InvalidInputException")));
    let unknown = client.organizations("LeaveOrganization", "{}").await;
    assert_eq!((unknown.status, &unknown.json()["__type"]), (400, &Value::from("UnknownOperationException")));
}

#[tokio::test]
async fn account_management_speaks_rest_and_says_what_is_not_there() {
    let (mut client, simulation) = start().await;
    let (mut found, mut missing) = (0, 0);
    for index in 1..=45 {
        let session = open(&mut client, &simulation, index).await;
        let answer = client.post("/getAlternateContact", &session, r#"{"AlternateContactType":"SECURITY"}"#).await;
        if let Some(facts) = simulation.model().contact(index, orgsweep_core::ContactType::Security) {
            assert_eq!(answer.json()["AlternateContact"]["Name"], facts.name.as_str());
            assert_eq!(answer.json()["AlternateContact"]["AlternateContactType"], "SECURITY");
            found += 1;
        } else {
            assert_eq!(answer.status, 404);
            assert!(answer.head.contains("x-amzn-errortype: resourcenotfoundexception"), "{}", answer.head);
            missing += 1;
        }
    }
    assert!(found > 0 && missing > 0);
    let invalid = client.post("/getAlternateContact", &caller(), r#"{"AlternateContactType":"FRIEND"}"#).await;
    assert_eq!(invalid.status, 403);
    let own = simulation.model().account_id(0);
    let body = format!(r#"{{"AlternateContactType":"BILLING","AccountId":"{own}"}}"#);
    assert_eq!(client.post("/getAlternateContact", &caller(), &body).await.status, 403);
}

#[tokio::test]
async fn credentials_that_nobody_has_are_refused_in_each_services_words() {
    let (mut client, _) = start().await;
    let stranger = signed("AKIASTRANGERSTRANGER", None);
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let answer = client.query(&stranger, body).await;
    assert_eq!((answer.status, answer.element("Code")), (403, "InvalidClientTokenId"));
    let answer = client.query("", body).await;
    assert_eq!((answer.status, answer.element("Code")), (403, "MissingAuthenticationToken"));
    let target = format!("X-Amz-Target: AWSOrganizationsV20161128.ListAccounts\r\n{stranger}");
    assert_eq!(client.post("/", &target, "{}").await.json()["__type"], "UnrecognizedClientException");
    let contact = client.post("/getAlternateContact", &stranger, r#"{"AlternateContactType":"BILLING"}"#).await;
    assert!(contact.status == 403 && contact.head.contains("x-amzn-errortype: unrecognizedclientexception"));
}

#[tokio::test]
async fn malformed_requests_are_answered_and_the_connection_lives_on() {
    let (mut client, _) = start().await;
    let unknown = client.query(&caller(), "Action=DeleteAccount&Version=2010-05-08").await;
    assert_eq!((unknown.status, unknown.element("Code")), (400, "InvalidAction"));
    assert_eq!(client.query(&caller(), "").await.element("Code"), "MissingAction");
    assert_eq!(client.query(&caller(), "\u{0}%zz=%%&&&=").await.element("Code"), "MissingAction");
    assert_eq!(client.post("/elsewhere", &caller(), "{}").await.status, 404);
    assert_eq!(client.post("/getAlternateContact", &caller(), "[").await.status, 400);
    let delete = format!("DELETE / HTTP/1.1\r\nHost: sim\r\n{}\r\n", caller());
    assert_eq!(client.raw(delete.as_bytes()).await.status, 405);
    let chunks = "a\r\nAction=Get\r\n22\r\nCallerIdentity&Version=2011-06-15&\r\n0\r\n\r\n";
    let chunked = format!("POST / HTTP/1.1\r\nHost: sim\r\n{}Transfer-Encoding: chunked\r\n\r\n{chunks}", caller());
    assert_eq!(client.raw(chunked.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let (mut client, _) = start().await;
    let answer = client.query(&caller(), &"x".repeat(70 * 1024)).await;
    assert_eq!((answer.status, answer.element("Code")), (413, "RequestEntityTooLarge"));
}

/// The bytes that come, until the connection ends, and how it ends.
async fn until_the_end(hostility: Hostility) -> (String, std::io::Result<usize>) {
    let (mut client, _) = start_with(hostility).await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let head = format!("POST / HTTP/1.1\r\nHost: sim\r\n{}Content-Length: {}\r\n\r\n", caller(), body.len());
    client.stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = client.stream.read_to_end(&mut bytes).await;
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

#[tokio::test]
async fn a_reset_is_one_and_a_cut_body_is_shorter_than_its_head_says() {
    let always = PerMille(1000);
    let (bytes, end) = until_the_end(Hostility { resets: always, ..Hostility::NONE }).await;
    assert_eq!((bytes.as_str(), end.unwrap_err().kind()), ("", std::io::ErrorKind::ConnectionReset));
    let (bytes, end) = until_the_end(Hostility { cut_bodies: always, ..Hostility::NONE }).await;
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    let length: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert_eq!((end.unwrap(), body.len()), (bytes.len(), length / 2));
    assert!(whole_answer(bytes.as_bytes()).is_none());
}
