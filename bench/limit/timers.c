/* timers - the limit for timers with libuv's own: timers COUNT. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static long count, fired;

static void on_due(uv_timer_t *timer) {
  (void)timer;
  if (++fired == count) printf("%ld\n", fired);
}

int main(int argc, char **argv) {
  uv_loop_t *loop = uv_default_loop();
  count = argc > 1 ? atol(argv[1]) : 1000000;
  uv_timer_t *timers = calloc((size_t)count, sizeof *timers);
  if (timers == NULL) return 1;
  for (long i = 0; i < count; i++) {
    uv_timer_init(loop, &timers[i]);
    uv_timer_start(&timers[i], on_due, (uint64_t)(i % 1000), 0);
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
