#include "gateway/page.h"

#include "gateway/page_files.h"

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace bos::gateway {

namespace {

boost::asio::awaitable<Response> serve_file(std::string_view type, std::string_view content) {
    co_return text_response(200, type, std::string(content));
}

}  // namespace

void add_page(Router& router) {
    const auto add = [&](const char* route, std::string_view type, std::string_view content) {
        router.add(route, [type, content](const Request&) { return serve_file(type, content); });
    };
    add("GET /", "text/html; charset=utf-8", page_files::index_html);
    add("GET /app.js", "text/javascript; charset=utf-8", page_files::app_js);
    add("GET /style.css", "text/css; charset=utf-8", page_files::style_css);
}

}  // namespace bos::gateway
