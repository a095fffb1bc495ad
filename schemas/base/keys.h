#pragma once

#include "schemas/base/position.h"
#include "schemas/base/uuid.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace bos {

/// Builds a storage key whose byte order is the order of its parts, and which is never a prefix of
/// another key with the same parts. Numbers are big endian; signed ones have their sign bit
/// flipped; text is terminated by 00 01 with every 00 inside written as 00 FF (as FoundationDB's
/// tuple layer).
class KeyWriter {
  public:
    KeyWriter& u8(std::uint8_t value) {
        bytes_.push_back(static_cast<char>(value));
        return *this;
    }
    KeyWriter& u16(std::uint16_t value) { return big_endian(value, 2); }
    KeyWriter& u32(std::uint32_t value) { return big_endian(value, 4); }
    KeyWriter& u64(std::uint64_t value) { return big_endian(value, 8); }
    KeyWriter& i64(std::int64_t value) {
        return u64(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
    }
    /// Sorts highest first.
    KeyWriter& descending_i64(std::int64_t value) {
        return u64(~(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63)));
    }
    KeyWriter& uuid(const Uuid& value) {
        bytes_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
        return *this;
    }
    KeyWriter& hash(const Hash& value) {
        bytes_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
        return *this;
    }
    KeyWriter& text(std::string_view value) {
        for (const char c : value) {
            bytes_.push_back(c);
            if (c == '\0') bytes_.push_back('\xFF');
        }
        bytes_.push_back('\0');
        bytes_.push_back('\x01');
        return *this;
    }
    /// Bytes as they are; only for parts of fixed length.
    KeyWriter& raw(std::string_view value) {
        bytes_.append(value);
        return *this;
    }

    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    [[nodiscard]] std::string take() { return std::move(bytes_); }

  private:
    KeyWriter& big_endian(std::uint64_t value, int width) {
        char bytes[8];
        for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>((value >> (56 - 8 * i)) & 0xFF);
        bytes_.append(bytes + 8 - width, static_cast<std::size_t>(width));
        return *this;
    }
    std::string bytes_;
};

/// Reads what KeyWriter wrote. Every method returns false on bytes that KeyWriter cannot have
/// written.
class KeyReader {
  public:
    explicit KeyReader(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] bool u8(std::uint8_t& out) { return big_endian(out); }
    [[nodiscard]] bool u16(std::uint16_t& out) { return big_endian(out); }
    [[nodiscard]] bool u32(std::uint32_t& out) { return big_endian(out); }
    [[nodiscard]] bool u64(std::uint64_t& out) { return big_endian(out); }
    [[nodiscard]] bool i64(std::int64_t& out) {
        std::uint64_t raw = 0;
        if (!u64(raw)) return false;
        out = static_cast<std::int64_t>(raw ^ (std::uint64_t{1} << 63));
        return true;
    }
    [[nodiscard]] bool descending_i64(std::int64_t& out) {
        std::uint64_t raw = 0;
        if (!u64(raw)) return false;
        out = static_cast<std::int64_t>(~raw ^ (std::uint64_t{1} << 63));
        return true;
    }
    [[nodiscard]] bool uuid(Uuid& out) {
        if (bytes_.size() < out.bytes.size()) return false;
        std::memcpy(out.bytes.data(), bytes_.data(), out.bytes.size());
        bytes_.remove_prefix(out.bytes.size());
        return true;
    }
    [[nodiscard]] bool text(std::string& out) {
        out.clear();
        for (std::size_t i = 0; i + 1 < bytes_.size() + 0; ++i) {
            if (bytes_[i] != '\0') {
                out.push_back(bytes_[i]);
            } else if (bytes_[i + 1] == '\xFF') {
                out.push_back('\0');
                ++i;
            } else if (bytes_[i + 1] == '\x01') {
                bytes_.remove_prefix(i + 2);
                return true;
            } else {
                return false;
            }
        }
        return false;
    }
    [[nodiscard]] std::string_view rest() const { return bytes_; }
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  private:
    template <class T>
    [[nodiscard]] bool big_endian(T& out) {
        if (bytes_.size() < sizeof(T)) return false;
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            value = value << 8 | static_cast<std::uint8_t>(bytes_[i]);
        }
        bytes_.remove_prefix(sizeof(T));
        out = static_cast<T>(value);
        return true;
    }
    std::string_view bytes_;
};

/// The smallest key that is greater than every key that starts with `prefix`; empty = no such key.
[[nodiscard]] std::string after_prefix(std::string_view prefix);

}  // namespace bos
