#pragma once

#include "gateway/http_server.h"
#include "schemas/base/result.h"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace bos::gateway {

/// TLS 1.2 (ECDHE with AEAD) and 1.3, no renegotiation, no compression, ALPN http/1.1.
/// invalid: a file is missing or unreadable, or the key does not belong to the certificate.
[[nodiscard]] Result<std::unique_ptr<boost::asio::ssl::context>> tls_context(const TlsFiles& files);

}  // namespace bos::gateway
