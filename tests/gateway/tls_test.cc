#include "tests/gateway/raw_client.h"
#include "tests/gateway/test_server.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>

namespace bos::gateway {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

/// A self-made certificate for "localhost" and its key, as PEM files that go away with it.
class Certificate {
  public:
    Certificate() {
        std::string pattern = (fs::temp_directory_path() / "bos-tls-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        folder_ = pattern;
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                      EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);
        write("chain.pem", [&](FILE* file) { return PEM_write_X509(file, certificate.get()); });
        write("key.pem", [&](FILE* file) {
            return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    ~Certificate() { fs::remove_all(folder_); }
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    [[nodiscard]] TlsFiles files() const {
        return {(folder_ / "chain.pem").string(), (folder_ / "key.pem").string()};
    }

  private:
    template <class Write>
    void write(const char* name, Write write_to) {
        FILE* file = std::fopen((folder_ / name).c_str(), "w");
        REQUIRE(file != nullptr);
        CHECK(write_to(file) == 1);
        std::fclose(file);
    }
    fs::path folder_;
};

ServerOptions tls_options(const Certificate& certificate) {
    ServerOptions options = test_options();
    options.tls = certificate.files();
    return options;
}

/// What a TLS client reads until the end, or the handshake's error.
struct TlsAnswer {
    boost::system::error_code handshake;
    std::string bytes;
};

TlsAnswer ask_over_tls(std::uint16_t port, const std::string& request, int highest_version = 0,
                       std::string_view protocols = {}) {
    asio::io_context context;
    asio::ssl::context ssl(asio::ssl::context::tls_client);
    SSL_CTX_set_max_proto_version(ssl.native_handle(), highest_version);
    // Debian's default would refuse old versions in the client already.
    if (highest_version != 0) SSL_CTX_set_security_level(ssl.native_handle(), 0);
    asio::ssl::stream<asio::ip::tcp::socket> stream(context, ssl);
    if (!protocols.empty()) {
        SSL_set_alpn_protos(stream.native_handle(),
                            reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    }
    stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
    TlsAnswer answer;
    stream.handshake(asio::ssl::stream_base::client, answer.handshake);
    if (answer.handshake) return answer;
    asio::write(stream, asio::buffer(request));
    boost::system::error_code end;
    asio::read(stream, asio::dynamic_buffer(answer.bytes), end);
    return answer;
}

}  // namespace

TEST_CASE("the server speaks TLS 1.2 and 1.3") {
    const Certificate certificate;
    TestServer server(tls_options(certificate));
    for (const int version : {0, TLS1_2_VERSION}) {
        TlsAnswer answer = ask_over_tls(server.port(),
                                        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b "
                                        "HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                                        version, "\x08http/1.1");
        CHECK_FALSE(answer.handshake);
        const auto first = RawClient::take_answer(answer.bytes, "GET");
        const auto second = RawClient::take_answer(answer.bytes, "GET");
        REQUIRE(first);
        REQUIRE(second);
        CHECK(first->body == "GET /a 0");
        CHECK(second->body == "GET /b 0");
        CHECK(first->headers.has("strict-transport-security"));
    }
}

TEST_CASE("old TLS, other protocols and no TLS at all are refused") {
    const Certificate certificate;
    TestServer server(tls_options(certificate));
    CHECK(ask_over_tls(server.port(), "", TLS1_1_VERSION).handshake);
    CHECK(ask_over_tls(server.port(), "", 0, "\x02h2").handshake);
    RawClient plain(server.port());
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    plain.end_sending();
    CHECK(plain.read_all().find("200") == std::string::npos);
    CHECK(plain.closed());
}

TEST_CASE("a TLS handshake has an end in time") {
    const Certificate certificate;
    ServerOptions options = tls_options(certificate);
    options.tls_handshake_timeout = std::chrono::milliseconds(50);
    TestServer server(options);
    RawClient silent(server.port());
    CHECK(silent.read_all().empty());
    CHECK(silent.closed());
}

TEST_CASE("a key that belongs to another certificate is refused at the start") {
    const Certificate one;
    const Certificate other;
    boost::asio::io_context context;
    ServerOptions options = test_options();
    options.tls = TlsFiles{one.files().certificate_chain, other.files().private_key};
    Server server({context.get_executor()}, options, echo);
    CHECK(server.start().error().code == Code::invalid);
}

}  // namespace bos::gateway
