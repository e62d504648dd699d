/* ranges.c - whatever a Range header says, of whatever length: what is to be sent
 * lies in the file, and is never more than there is. */
#include <assert.h>
#include <string.h>

#include "modules/http/values/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint64_t lengths[] = {0, 1, 10, 1000, UINT64_MAX / 2};
  struct ranges ranges;
  if (size == 0) return 0;
  uint64_t length = lengths[data[0] % 5], sum = 0;
  if (ranges_parse((const char *)data + 1, size - 1, length, &ranges) !=
      RANGES_SOME)
    return 0;
  assert(ranges.count > 0 && ranges.count <= RANGES_MOST);
  for (int i = 0; i < ranges.count; i++) {
    const struct range *range = &ranges.list[i];
    assert(range->first <= range->last && range->last < length);
    sum += range->last - range->first + 1;
  }
  assert(sum <= length);
  return 0;
}
