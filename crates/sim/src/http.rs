//! The HTTP face: one endpoint that speaks the protocols of STS and IAM (query, XML), AWS Organizations (JSON 1.1)
//! and AWS Account Management (REST, JSON), so that any AWS client works against a simulation.
//!
//! Signatures are not verified; the access key id in the `Authorization` header and the `X-Amz-Security-Token` are.

mod account_rest;
mod deliver;
mod organizations_json;
mod query_answers;
mod query_requests;
mod xml;

use std::convert::Infallible;
use std::error::Error as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::fault::Fault;
use crate::request::{Operation, Reply, Request, Service, Signer};
use crate::simulation::Simulation;
use deliver::{AnswerBody, ConnectionReset, deliver};

/// The longest request body that is read. The largest request, `AssumeRole` with a session policy, takes a tenth.
const BODY_MOST: usize = 64 * 1024;

/// How long to leave the listener alone after it failed, as it does when the process has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const SECURITY_TOKEN: &str = "x-amz-security-token";
const TARGET: &str = "x-amz-target";

/// A request as understood, or the fault that answers one that is not.
struct Understood {
    /// The service whose protocol the answer speaks.
    service: Service,
    operation: Result<Operation, Fault>,
}

/// Serves a simulation on a listener until the future is dropped, and every connection with it.
pub async fn serve(listener: TcpListener, simulation: Arc<Simulation>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, Arc::clone(&simulation)));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve_connection(stream: TcpStream, simulation: Arc<Simulation>) {
    // Without this, Nagle's algorithm and delayed acknowledgements make 40 ms of every other answer.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let simulation = Arc::clone(&simulation);
        // Boxed, since a connection that is to be taken apart must not hold what cannot move.
        Box::pin(async move { handle(request, &simulation).await })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is the client's affair, unless it was to be broken: there is nobody left to tell.
    if let Err(error) = poll_fn(|context| connection.poll_without_shutdown(context)).await
        && error.source().is_some_and(<dyn std::error::Error>::is::<ConnectionReset>)
    {
        let stream = connection.into_parts().io.into_inner();
        // Closed without lingering, a connection is reset.
        let _ = stream.set_zero_linger();
    }
}

async fn handle(
    request: http::Request<Incoming>,
    simulation: &Simulation,
) -> Result<http::Response<AnswerBody>, ConnectionReset> {
    let (head, body) = request.into_parts();
    let Understood { service, operation } = match Limited::new(body, BODY_MOST).collect().await {
        Ok(body) => understand(&head, &body.to_bytes()),
        Err(error) => unreadable(&head.headers, error.as_ref()),
    };
    let reply = match operation {
        Ok(operation) => simulation.answer(Request { signer: signer(&head.headers), operation }).await,
        Err(fault) => simulation.refuse(fault),
    };
    let delivery = reply.delivery;
    deliver(respond(service, reply), delivery).await
}

/// Finds out which service is asked, by what tells its protocol, and what for.
fn understand(head: &http::request::Parts, body: &[u8]) -> Understood {
    let service = service_of(&head.headers, head.uri.path());
    let operation = match service {
        _ if head.method != Method::POST && head.method != Method::GET => {
            Err(Fault::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."))
        }
        Service::Organizations => {
            let target = head.headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
            organizations_json::parse(target, body)
        }
        Service::Account => account_rest::parse(head.uri.path(), body),
        Service::Sts | Service::Iam => {
            let query = if body.is_empty() { head.uri.query().unwrap_or_default().as_bytes() } else { body };
            return query_requests::parse(query);
        }
    };
    Understood { service, operation }
}

/// The service whose protocol a request speaks; for the query protocol, IAM until the version says otherwise.
fn service_of(headers: &HeaderMap, path: &str) -> Service {
    if headers.contains_key(TARGET) {
        Service::Organizations
    } else if path == "/" {
        Service::Iam
    } else {
        Service::Account
    }
}

/// The answer to a body that is too long, or that broke off.
fn unreadable(headers: &HeaderMap, error: &(dyn std::error::Error + 'static)) -> Understood {
    let fault = if error.is::<LengthLimitError>() {
        Fault::new(413, "RequestEntityTooLarge", "The request body is too long.")
    } else {
        Fault::new(400, "IncompleteBody", "The request body terminated unexpectedly.")
    };
    Understood { service: service_of(headers, "/"), operation: Err(fault) }
}

/// Who signed, by the headers: `Authorization: AWS4-HMAC-SHA256 Credential=<access key id>/…`.
fn signer(headers: &HeaderMap) -> Signer {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let credential = text(AUTHORIZATION.as_str()).and_then(|value| value.split_once("Credential="));
    let access_key_id = credential.and_then(|(_, scope)| scope.split('/').next()).map(str::to_owned);
    let session_token = text(SECURITY_TOKEN).filter(|token| !token.is_empty()).map(str::to_owned);
    Signer { access_key_id, session_token }
}

fn respond(service: Service, reply: Reply) -> http::Response<Bytes> {
    let (content_type, status, error_type) = match (service, &reply.outcome) {
        (Service::Sts | Service::Iam, outcome) => ("text/xml", status(outcome), None),
        (Service::Organizations, outcome) => ("application/x-amz-json-1.1", status(outcome), None),
        (Service::Account, Ok(_)) => ("application/json", 200, None),
        (Service::Account, Err(fault)) => ("application/json", fault.status, Some(fault.code)),
    };
    let request_id = HeaderValue::from_str(&reply.request_id);
    let body = match service {
        Service::Sts | Service::Iam => query_answers::render(service, reply),
        Service::Organizations => organizations_json::render(reply.outcome),
        Service::Account => account_rest::render(reply.outcome),
    };
    let mut response = http::Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(request_id) = request_id {
        headers.insert(REQUEST_ID, request_id);
    }
    if let Some(error_type) = error_type {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error_type));
    }
    response
}

fn status<T>(outcome: &Result<T, Fault>) -> u16 {
    outcome.as_ref().map_or_else(|fault| fault.status, |_| 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signer_is_who_the_headers_name() {
        let mut headers = HeaderMap::new();
        assert_eq!(signer(&headers), Signer::default());
        let scope = "AWS4-HMAC-SHA256 Credential=AKIAX/20261122/us-east-1/iam/aws4_request, SignedHeaders=host";
        headers.insert(AUTHORIZATION, HeaderValue::from_static(scope));
        headers.insert(SECURITY_TOKEN, HeaderValue::from_static("token"));
        let expected = Signer { access_key_id: Some("AKIAX".to_owned()), session_token: Some("token".to_owned()) };
        assert_eq!(signer(&headers), expected);
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic AAAA"));
        assert_eq!(signer(&headers).access_key_id, None);
    }
}
