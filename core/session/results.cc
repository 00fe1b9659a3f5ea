#include "core/session/results.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::session {
namespace {

uint64_t HashResult(RequestSeq seq, const Result& result) {
  uint64_t hash = FoldHash(seq.value(), static_cast<uint64_t>(result.code) << 8 | static_cast<uint64_t>(result.lock_mode));
  hash = FoldHash(hash, (result.created ? 1u : 0u) | (result.directory ? 2u : 0u) | (result.ephemeral ? 4u : 0u) |
                            (result.both ? 8u : 0u));
  hash = FoldHash(hash, result.handle.value());
  hash = FoldHash(hash, result.instance.value());
  hash = FoldHash(hash, result.content_generation);
  hash = FoldHash(hash, result.content_length);
  hash = FoldHash(hash, result.checksum);
  hash = FoldHash(FoldHash(hash, result.lock_generation.value()), result.children_changed.value());
  hash = FoldHash(FoldHash(hash, result.acl_generation), static_cast<uint64_t>(result.value));
  hash = FoldHash(FoldHash(hash, uint64_t{result.permits} << 32 | result.permit), result.check_digits);
  if (result.owner) hash = FoldHash(hash, result.owner.value());
  if (result.parts.empty() && !result.guarded && result.failed == 0) return hash;
  hash = FoldHash(hash, uint64_t{result.failed} << 1 | (result.guarded ? 1u : 0u));
  for (const Result& part : result.parts) hash = FoldHash(hash, HashResult(RequestSeq(), part));
  return hash;
}

}  // namespace

Result FromOutcome(const v1::Outcome& outcome) {
  Result result;
  result.code = outcome.code();
  result.lock_mode = outcome.lock_mode();
  result.created = outcome.created();
  result.directory = outcome.directory();
  result.ephemeral = outcome.ephemeral();
  result.both = outcome.both();
  result.handle = HandleId(outcome.handle());
  result.instance = Position(outcome.instance());
  result.content_generation = outcome.content_generation();
  result.content_length = outcome.content_length();
  result.checksum = outcome.checksum();
  result.lock_generation = Position(outcome.lock_generation());
  result.children_changed = Position(outcome.children_changed());
  result.acl_generation = outcome.acl_generation();
  result.value = outcome.value();
  result.permits = static_cast<uint16_t>(outcome.permits());
  result.permit = static_cast<uint16_t>(outcome.permit());
  result.check_digits = outcome.check_digits();
  result.owner = SessionId(outcome.owner());
  result.guarded = outcome.guarded();
  result.failed = outcome.failed();
  for (const v1::Outcome& part : outcome.parts()) result.parts.push_back(FromOutcome(part));
  return result;
}

void ToOutcome(const Result& result, v1::Outcome& outcome) {
  outcome.set_code(result.code);
  outcome.set_lock_mode(result.lock_mode);
  outcome.set_created(result.created);
  outcome.set_directory(result.directory);
  outcome.set_ephemeral(result.ephemeral);
  outcome.set_both(result.both);
  outcome.set_handle(result.handle.value());
  outcome.set_instance(result.instance.value());
  outcome.set_content_generation(result.content_generation);
  outcome.set_content_length(result.content_length);
  outcome.set_checksum(result.checksum);
  outcome.set_lock_generation(result.lock_generation.value());
  outcome.set_children_changed(result.children_changed.value());
  outcome.set_acl_generation(result.acl_generation);
  outcome.set_value(result.value);
  outcome.set_permits(result.permits);
  outcome.set_permit(result.permit);
  outcome.set_check_digits(result.check_digits);
  outcome.set_owner(result.owner.value());
  outcome.set_guarded(result.guarded);
  outcome.set_failed(result.failed);
  outcome.clear_parts();
  for (const Result& part : result.parts) ToOutcome(part, *outcome.add_parts());
}

void Results::Trim(RequestSeq first) {
  if (first <= first_) return;
  first_ = first;
  const auto keep = Place(first);
  for (auto it = table_.begin(); it != keep; ++it) items_ -= HashResult(it->first, it->second);
  table_.erase(table_.begin(), keep);
}

Results::Table::iterator Results::Place(RequestSeq seq) {
  return std::lower_bound(table_.begin(), table_.end(), seq, [](const auto& entry, RequestSeq s) { return entry.first < s; });
}

const Result* Results::Find(RequestSeq seq) const {
  const auto it = const_cast<Results*>(this)->Place(seq);
  return it == table_.end() || it->first != seq ? nullptr : &it->second;
}

void Results::Put(RequestSeq seq, const Result& result) {
  BRAMAH_CHECK(seq >= first_);
  const auto it = Place(seq);
  if (it == table_.end() || it->first != seq) {
    table_.insert(it, {seq, result});
  } else {
    items_ -= HashResult(seq, it->second);
    it->second = result;
  }
  items_ += HashResult(seq, result);
}

void Results::Revise(RequestSeq seq, const Result& result) {
  if (Find(seq) != nullptr) Put(seq, result);
}

void Results::GiveUp(RequestSeq seq, HandleId handle) {
  if (seq < first_ || Find(seq) != nullptr) return;
  Result cancelled;
  cancelled.code = v1::CANCELLED;
  cancelled.handle = handle;
  Put(seq, cancelled);
}

uint64_t Results::digest() const { return FoldHash(items_, first_.value()); }

uint64_t Results::DigestSlow() const {
  uint64_t sum = 0;
  for (const auto& [seq, result] : table_) sum += HashResult(seq, result);
  return FoldHash(sum, first_.value());
}

}  // namespace bramah::session
