// The file form of plans.
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/plan/plan.h"

namespace bramah::sim {
namespace {

// Keeps the first error.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// One field of a plan: scalars and settings on lines of their own, each repeated item on one line.
void PrintField(const v1::Plan& plan, const google::protobuf::FieldDescriptor* field, std::string* out) {
  const google::protobuf::Reflection* reflection = plan.GetReflection();
  google::protobuf::TextFormat::Printer printer;
  std::string text;
  if (field->is_repeated()) {
    printer.SetSingleLineMode(true);
    const int count = reflection->FieldSize(plan, field);
    if (count > 0) out->append("\n");
    for (int i = 0; i < count; ++i) {
      printer.PrintToString(reflection->GetRepeatedMessage(plan, field, i), &text);
      absl::StrAppend(out, field->name(), " { ", text, "}\n");
    }
  } else if (reflection->HasField(plan, field) && field->message_type() != nullptr) {
    printer.SetInitialIndentLevel(1);
    printer.PrintToString(reflection->GetMessage(plan, field), &text);
    absl::StrAppend(out, field->name(), " {\n", text, "}\n");
  } else if (reflection->HasField(plan, field)) {
    printer.PrintFieldValueToString(plan, field, -1, &text);
    absl::StrAppend(out, field->name(), ": ", text, "\n");
  }
}

}  // namespace

absl::StatusOr<v1::Plan> ParsePlan(std::string_view text) {
  v1::Plan plan;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &plan)) return absl::InvalidArgumentError(error.text());
  if (absl::Status status = ValidatePlan(plan); !status.ok()) return status;
  return plan;
}

std::string FormatPlan(const v1::Plan& plan) {
  std::string text = "# proto-file: sim/plan/plan.proto\n# proto-message: bramah.v1.Plan\n";
  const google::protobuf::Descriptor* descriptor = v1::Plan::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) PrintField(plan, descriptor->field(i), &text);
  return text;
}

}  // namespace bramah::sim
