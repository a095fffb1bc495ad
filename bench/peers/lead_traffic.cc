#include "bench/peers/lead_traffic.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace bos::bench {

LeadTraffic::LeadTraffic(std::uint16_t port, std::string key, std::string pipeline)
    : port_(port), key_(std::move(key)), pipeline_(std::move(pipeline)) {}

HttpLoad LeadTraffic::from(std::size_t connections) {
    return {port_, connections,
            [this](std::size_t connection, std::uint64_t number, std::string_view answer) {
                return next(connection, number, answer);
            }};
}

std::string LeadTraffic::next(std::size_t connection, std::uint64_t number,
                              std::string_view answer) {
    if (number % 2 == 1)
        return http_request("POST", fmt::format("/v1/leads/{}/qualify", id_in(answer)), key_);
    ++captured_;
    const std::string body = fmt::format(
        R"({{"pipeline":"{}","given_name":"Amara","family_name":"Lindgren {}","company_name":"Meridian Clinics",)"
        R"("job_title":"Head of Operations","emails":["amara.{}.{}@meridian.example"],"source":"trade fair",)"
        R"("expected_value":{{"minor":{},"currency":"EUR"}},"tags":["pilot"]}})",
        pipeline_, number, connection, number, 50'000 + number % 5000);
    return http_request("POST", "/v1/leads", key_, body);
}

void LeadTraffic::check_board() const {
    HttpClient client(port_);
    const boost::json::value board = boost::json::parse(client.exchange(
        http_request("GET", fmt::format("/v1/leads/board?pipeline={}&cards=0", pipeline_), key_)));
    std::uint64_t leads = 0;
    for (const boost::json::value& column : board.at("columns").as_array())
        leads += column.at("lead_count").to_number<std::uint64_t>();
    if (leads == captured_) return;
    throw std::runtime_error(fmt::format("{} leads are on the board of port {}, {} were captured",
                                         leads, port_, captured_.load()));
}

std::string id_in(std::string_view answer) {
    constexpr std::string_view name = R"("id":")";
    constexpr std::string_view nil = "00000000-0000-0000-0000-000000000000";
    const std::size_t at = answer.find(name);
    return std::string(at == std::string_view::npos ? nil : answer.substr(at + name.size(), 36));
}

}  // namespace bos::bench
