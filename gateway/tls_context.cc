#include "gateway/tls_context.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <string_view>

namespace bos::gateway {

namespace ssl = boost::asio::ssl;

namespace {

/// Length-prefixed list of what we speak (RFC 7301 3.1).
constexpr std::string_view spoken("\x08http/1.1", 9);

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    unsigned char* out = nullptr;
    const int found = SSL_select_next_proto(
        &out, chosen_size, reinterpret_cast<const unsigned char*>(spoken.data()),
        static_cast<unsigned>(spoken.size()), offered, offered_size);
    *chosen = out;
    // RFC 7301 3.2: no protocol in common ends the handshake.
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<std::unique_ptr<ssl::context>> tls_context(const TlsFiles& files) {
    auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
    SSL_CTX* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(
        native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
    boost::system::error_code error;
    context->use_certificate_chain_file(files.certificate_chain, error);
    if (error) {
        return fail(Code::invalid, fmt::format("TLS certificate {}: {}", files.certificate_chain,
                                               error.message()));
    }
    context->use_private_key_file(files.private_key, ssl::context::pem, error);
    if (error) {
        return fail(Code::invalid,
                    fmt::format("TLS key {}: {}", files.private_key, error.message()));
    }
    if (SSL_CTX_check_private_key(native) != 1) {
        return fail(Code::invalid, "the TLS key does not belong to the certificate");
    }
    return context;
}

}  // namespace bos::gateway
