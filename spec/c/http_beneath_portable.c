/* http_beneath_portable.c - beneath.c as it is compiled where there is no Linux:
 * the same names can be had, links excepted. */
#define BENEATH_PORTABLE
#define beneath_open portable_open
#define beneath_open_to_read portable_open_to_read
#define LINKS false
#define SEARCHES (THROUGH != O_RDONLY)

#include "modules/http/files/beneath.c"
#include "spec/c/beneath_run.h"

int main(void) {
  run_beneath();
  return 0;
}
