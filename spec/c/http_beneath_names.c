/* http_beneath_names.c - beneath.c where the kernel has no openat2, or a filter of
 * system calls forbids it: name by name. */
#define beneath_open by_names_open
#define beneath_open_to_read by_names_open_to_read
#define syscall refuse
#define LINKS false
#define SEARCHES true

#include <errno.h>

static long refuse(long number, ...) {
  (void)number;
  errno = EPERM;
  return -1;
}

#include "modules/http/files/beneath.c"
#include "spec/c/beneath_run.h"

int main(void) {
  run_beneath();
  return 0;
}
