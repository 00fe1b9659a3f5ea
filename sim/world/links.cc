#include "sim/world/links.h"

#include <algorithm>

#include "core/base/hash.h"
#include "sim/plan/streams.h"

namespace bramah::sim {

Links::Links(uint64_t seed, const v1::Network& network, uint32_t processes)
    : seed_(seed),
      network_(network),
      processes_(processes),
      paths_(size_t{processes} * processes),
      repeats_(kRepeats) {}

uint64_t Links::Count(uint64_t key) {
  Repeat& repeat = repeats_[key % kRepeats];
  const uint32_t upper = static_cast<uint32_t>(key >> 32);
  if (repeat.key != upper) repeat = {upper, 0};
  return repeat.count++;
}

Duration Links::DrawDelay(uint64_t draw) const {
  Duration delay = Between(draw, network_.delay_min_ns(), network_.delay_max_ns());
  if (network_.late_ppm() > 0) {
    const uint64_t late = Scramble(draw ^ 1);
    if (Chance(late, network_.late_ppm())) delay += Between(Scramble(late), 0, network_.late_max_ns());
  }
  return delay;
}

Fate Links::Next(ProcessId from, ProcessId to, uint64_t hash) {
  const size_t link = Index(from, to);
  const uint64_t key = FoldHash(hash, link);
  const uint64_t draw = Draw(seed_, Stream::kFate, link, FoldHash(key, Count(key)));
  Fate fate;
  if (network_.loss_ppm() + network_.break_ppm() + network_.duplicate_ppm() > 0) {
    const uint64_t point = Below(Scramble(draw ^ 2), 1'000'000);
    const uint64_t lost = network_.loss_ppm();
    const uint64_t broken = lost + network_.break_ppm();
    fate.lost = point < lost;
    fate.breaks = !fate.lost && point < broken;
    fate.duplicate = !fate.lost && !fate.breaks && point < broken + network_.duplicate_ppm();
  }
  fate.delay = paths_[link].slow + DrawDelay(Scramble(draw ^ 3));
  if (fate.duplicate) fate.second_delay = paths_[link].slow + DrawDelay(Scramble(draw ^ 4));
  return fate;
}

Duration Links::Delay(ProcessId from, ProcessId to, uint64_t key) const {
  const size_t link = Index(from, to);
  return paths_[link].slow + DrawDelay(Draw(seed_, Stream::kDial, link, key));
}

void Links::Heal(Duration delay_max) {
  std::fill(paths_.begin(), paths_.end(), Path());
  network_.set_loss_ppm(0);
  network_.set_duplicate_ppm(0);
  network_.set_break_ppm(0);
  network_.set_late_ppm(0);
  network_.set_delay_max_ns(std::min<int64_t>(network_.delay_max_ns(), delay_max));
  network_.set_delay_min_ns(std::min<int64_t>(network_.delay_min_ns(), network_.delay_max_ns()));
}

}  // namespace bramah::sim
