// Histories as text, for tests: one call or answer per line, in order.
//
//   # a comment; "# expect: ID" names the checker that must object
//   call c1 1 open /a create value=x        create, must_create, ephemeral, owned, dir
//   answer c1 1 ok handle=1 instance=5 generation=1 created
//   call c2 4 set /a handle=7 value=y if=3  if: compare-and-set
//   answer c2 4 timed_out
//   call c2 5 add /n handle=8 value=3       adds three; the answer's value is the sum. min=0 max=9: both bounds
//   answer c2 5 out_of_bounds instance=6 value=8
//   call c1 2 get /a handle=1               get, stat, delete, list, acquire, release, close
//   answer c1 2 ok instance=5 generation=2 value=y
//   answer c1 3 ok child=a:5:2              list: name, instance, generation
//
// ACLs, locks and children; a stat shows the first two if it shows an ACL generation:
//
//   call c1 4 set_acl /a handle=1 read=x if=1       read, write
//   answer c1 4 ok instance=5 acl=2
//   call c1 5 acquire /a handle=1 exclusive               shared; get_sequencer is answered the same
//   answer c1 5 ok lock=9 exclusive permit=2
//   call c1 6 stat /a handle=1
//   answer c1 6 ok instance=5 generation=1 value=x acl=2 read=x lock=9 exclusive holders=1
//   answer c1 6 ok instance=4 dir acl=1 lock=0 changed=5 children=1 made=1
//   call c2 1 check - sequencer=/a:5:9 exclusive          name, instance, generation, permit
//   call c2 1 set_sequencer /a handle=2 sequencer=/a:5:9 exclusive
//
// A lock has one permit, unless the open was answered with permits=3.
#ifndef BRAMAH_SIM_CHECK_HISTORY_HISTORY_TEXT_H_
#define BRAMAH_SIM_CHECK_HISTORY_HISTORY_TEXT_H_

#include <string>
#include <string_view>

#include "sim/check/history/linearizability.h"

namespace bramah::sim {

struct TextVerdict {
  HistoryVerdict verdict;
  std::string expected;  // checker id, empty if the text names none
  std::string error;     // the line that could not be read; empty if all could
};

// Feeds the lines to a History and judges it; stops at the first answer that does not fit its question.
TextVerdict JudgeText(std::string_view text, uint64_t search_max = kSearchSteps);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_HISTORY_TEXT_H_
