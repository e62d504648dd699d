/* http_beneath.c - beneath.h, as it is done here: by the kernel, where it can. */
#define LINKS has_openat2()
#define SEARCHES true

#include "modules/http/files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

static bool has_openat2(void) {
#ifdef SYS_openat2
  return syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno != ENOSYS &&
         errno != EPERM;
#else
  return false;
#endif
}

#include "spec/c/beneath_run.h"

int main(void) {
  run_beneath();
  return 0;
}
