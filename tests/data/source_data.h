#pragma once

#include <boost/json/value.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bos::data_test {

/// The folder of event logs; empty, after saying so, where it is absent.
[[nodiscard]] std::optional<std::filesystem::path> event_logs();

using CsvRow = std::vector<std::string>;

/// The rows after the head of a gzipped CSV file without quotes.
[[nodiscard]] std::vector<CsvRow> read_csv(const std::filesystem::path& file);

[[nodiscard]] boost::json::value read_json(const std::filesystem::path& file);

}  // namespace bos::data_test
