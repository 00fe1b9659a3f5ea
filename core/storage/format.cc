#include "core/storage/format.h"

#include <algorithm>
#include <cstring>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::storage {
namespace {

constexpr std::string_view kIdentityMagic = "BRAMAHID";
constexpr std::string_view kVoteMagic = "BRAMAHVT";
constexpr std::string_view kSegmentMagic = "BRAMAHWL";

constexpr size_t kBatchBodyBytes = kBatchRecordBytes - kRecordHeaderBytes;
constexpr size_t kRollBodyBytes = kRollRecordBytes - kRecordHeaderBytes;
constexpr int kKindShift = 56;
constexpr uint64_t kValueMask = (uint64_t{1} << kKindShift) - 1;

void PutOwner(ByteWriter& out, const Owner& owner) {
  out.U64(owner.cell);
  out.U32(owner.member.value());
  out.U64(owner.disk_high);
  out.U64(owner.disk_low);
}

Owner GetOwner(ByteReader& in) {
  Owner owner;
  owner.cell = in.U64();
  owner.member = ReplicaId(in.U32());
  owner.disk_high = in.U64();
  owner.disk_low = in.U64();
  return owner;
}

void PutHead(ByteWriter& out, std::string_view magic) {
  out.Raw(magic);
  out.U32(kFormatVersion);
}

bool GetHead(ByteReader& in, std::string_view magic) { return in.Raw(magic.size()) == magic && in.U32() == kFormatVersion; }

// Appends the CRC of everything before it.
void Seal(std::string* bytes) {
  const uint32_t crc = Crc32c(*bytes);
  ByteWriter(bytes).U32(crc);
}

// What lies before a good CRC at the end of `bytes`; null if the CRC is wrong.
std::optional<std::string_view> Unseal(std::string_view bytes) {
  if (bytes.size() < sizeof(uint32_t)) return std::nullopt;
  const std::string_view sealed = bytes.substr(0, bytes.size() - sizeof(uint32_t));
  if (Crc32c(sealed) != LoadLittle<uint32_t>(bytes.data() + sealed.size())) return std::nullopt;
  return sealed;
}

void StoreRecordHeader(char* to, RecordKind kind, uint64_t value, size_t body_bytes) {
  StoreLittle<uint32_t>(to + 4, static_cast<uint32_t>(body_bytes));
  StoreLittle<uint64_t>(to + 8, static_cast<uint64_t>(kind) << kKindShift | (value & kValueMask));
}

uint32_t SealRecord(char* to, size_t whole_bytes, uint32_t seed) {
  const uint32_t crc = RecordCrc(std::string_view(to, whole_bytes), seed);
  StoreLittle<uint32_t>(to, crc);
  return crc;
}

}  // namespace

Owner OwnerOf(const Identity& identity) {
  return {Hash64(identity.cell), identity.member, identity.disk_high, identity.disk_low};
}

std::string EncodeIdentity(const Identity& identity) {
  std::string bytes;
  ByteWriter out(&bytes);
  PutHead(out, kIdentityMagic);
  out.U32(identity.member.value());
  out.U64(identity.disk_high);
  out.U64(identity.disk_low);
  out.Bytes(identity.cell);
  Seal(&bytes);
  return bytes;
}

std::optional<Identity> ParseIdentity(std::string_view bytes) {
  const std::optional<std::string_view> sealed = Unseal(bytes);
  if (!sealed.has_value()) return std::nullopt;
  ByteReader in(*sealed);
  if (!GetHead(in, kIdentityMagic)) return std::nullopt;
  Identity identity;
  identity.member = ReplicaId(in.U32());
  identity.disk_high = in.U64();
  identity.disk_low = in.U64();
  const std::string_view cell = in.Bytes();
  if (!in.Finished() || cell.size() > kCellNameBytesMax) return std::nullopt;
  identity.cell = std::string(cell);
  return identity;
}

std::string EncodeVoteSlot(const VoteRecord& record) {
  std::string bytes;
  ByteWriter out(&bytes);
  PutHead(out, kVoteMagic);
  out.U32(record.slot);
  PutOwner(out, record.owner);
  out.U64(record.generation);
  out.U64(record.hard.term.value());
  out.U32(record.hard.vote.value());
  out.I64(record.hard.promise);
  Seal(&bytes);
  return bytes;
}

std::optional<VoteRecord> ParseVoteSlot(std::string_view bytes) {
  const std::optional<std::string_view> sealed = Unseal(bytes.substr(0, kVoteSlotBytes));
  if (!sealed.has_value()) return std::nullopt;
  ByteReader in(*sealed);
  if (!GetHead(in, kVoteMagic)) return std::nullopt;
  VoteRecord record;
  record.slot = in.U32();
  record.owner = GetOwner(in);
  record.generation = in.U64();
  record.hard.term = Term(in.U64());
  record.hard.vote = ReplicaId(in.U32());
  record.hard.promise = in.I64();
  if (!in.Finished()) return std::nullopt;
  return record;
}

uint32_t StoreSegmentHeader(char* to, const SegmentHeader& header) {
  std::string bytes;
  ByteWriter out(&bytes);
  PutHead(out, kSegmentMagic);
  PutOwner(out, header.owner);
  out.U64(header.seq);
  out.U64(header.previous.seq);
  out.U32(static_cast<uint32_t>(header.previous.offset));
  out.U64(header.first_index.value());
  out.U64(header.previous_term.value());
  out.U32(header.previous_crc);
  Seal(&bytes);
  BRAMAH_CHECK(bytes.size() == kSegmentHeaderBytes);
  std::memcpy(to, bytes.data(), kSegmentHeaderBytes);
  return LoadLittle<uint32_t>(to + kSegmentHeaderBytes - sizeof(uint32_t));
}

std::optional<SegmentHeader> ParseSegmentHeader(std::string_view bytes) {
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  const std::optional<std::string_view> sealed = Unseal(bytes);
  if (!sealed.has_value()) return std::nullopt;
  ByteReader in(*sealed);
  if (!GetHead(in, kSegmentMagic)) return std::nullopt;
  SegmentHeader header;
  header.owner = GetOwner(in);
  header.seq = in.U64();
  header.previous.seq = in.U64();
  header.previous.offset = in.U32();
  header.first_index = LogIndex(in.U64());
  header.previous_term = Term(in.U64());
  header.previous_crc = in.U32();
  if (!in.Finished()) return std::nullopt;
  header.crc = LoadLittle<uint32_t>(bytes.data() + sealed->size());
  return header;
}

std::optional<Record> ParseRecord(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  const uint64_t word = LoadLittle<uint64_t>(bytes.data() + 8);
  const auto kind = static_cast<RecordKind>(word >> kKindShift);
  const size_t body = LoadLittle<uint32_t>(bytes.data() + 4);
  const size_t whole = EntryRecordBytes(body);
  if (whole > bytes.size()) return std::nullopt;
  const bool known = kind == RecordKind::kEntry || (kind == RecordKind::kBatch && body == kBatchBodyBytes) ||
                     (kind == RecordKind::kRoll && body == kRollBodyBytes);
  if (!known) return std::nullopt;
  return Record{kind, word & kValueMask, LoadLittle<uint32_t>(bytes.data()), bytes.substr(kRecordHeaderBytes, body),
                bytes.substr(0, whole)};
}

BatchMark ParseBatchBody(const Record& record) {
  ByteReader in(record.body);
  BatchMark mark;
  mark.synced_through.seq = in.U64();
  mark.synced_through.offset = in.U32();
  mark.previous_crc = in.U32();
  mark.bytes = in.U64();
  return mark;
}

uint64_t ParseRollBody(const Record& record) { return ByteReader(record.body).U64(); }

uint32_t BatchSalt(const Owner& owner, uint64_t segment_seq) {
  std::string bytes;
  ByteWriter out(&bytes);
  PutOwner(out, owner);
  out.U64(segment_seq);
  return Crc32c(bytes);
}

uint32_t RecordCrc(std::string_view whole, uint32_t seed) { return Crc32c(whole.substr(sizeof(uint32_t)), seed); }

uint32_t StoreBatchRecord(char* to, uint64_t offset, const BatchMark& mark, uint32_t salt) {
  StoreRecordHeader(to, RecordKind::kBatch, offset, kBatchBodyBytes);
  StoreLittle<uint64_t>(to + 16, mark.synced_through.seq);
  StoreLittle<uint32_t>(to + 24, static_cast<uint32_t>(mark.synced_through.offset));
  StoreLittle<uint32_t>(to + 28, mark.previous_crc);
  StoreLittle<uint64_t>(to + 32, mark.bytes);
  return SealRecord(to, kBatchRecordBytes, salt);
}

uint32_t StoreEntryRecord(char* to, LogIndex index, std::string_view entry, uint32_t previous_crc) {
  const size_t whole = EntryRecordBytes(entry.size());
  StoreRecordHeader(to, RecordKind::kEntry, index.value(), entry.size());
  std::memcpy(to + kRecordHeaderBytes, entry.data(), entry.size());
  std::memset(to + kRecordHeaderBytes + entry.size(), 0, whole - kRecordHeaderBytes - entry.size());
  return SealRecord(to, whole, previous_crc);
}

uint32_t StoreRollRecord(char* to, LogIndex next_index, uint64_t next_seq, uint32_t previous_crc) {
  StoreRecordHeader(to, RecordKind::kRoll, next_index.value(), kRollBodyBytes);
  StoreLittle<uint64_t>(to + 16, next_seq);
  return SealRecord(to, kRollRecordBytes, previous_crc);
}

void ForEachEntryWritten(uint64_t offset, std::string_view bytes,
                         absl::FunctionRef<void(LogIndex index, std::string_view entry)> found) {
  if (offset == 0) bytes.remove_prefix(std::min(bytes.size(), kSegmentHeaderBytes));
  while (const std::optional<Record> record = ParseRecord(bytes)) {
    if (record->kind == RecordKind::kEntry) found(LogIndex(record->value), record->body);
    bytes.remove_prefix(record->whole.size());
  }
}

}  // namespace bramah::storage
