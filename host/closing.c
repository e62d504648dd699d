/* closing.c - a job that nobody waits for: no task, no box. */
#include "host/closing.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "host/host.h"

struct closing {
  uv_work_t uv;
  int fd;
};

static void work(uv_work_t *uv) {
  close(((struct closing *)uv->data)->fd);
}

static void after(uv_work_t *uv, int status) {
  (void)status;
  free(uv->data);
}

void close_in_thread(struct host *host, int fd) {
  struct closing *closing = malloc(sizeof *closing);
  if (closing == NULL) {
    close(fd);
    return;
  }
  closing->uv.data = closing;
  closing->fd = fd;
  int status = uv_queue_work(&host->loop, &closing->uv, work, after);
  assert(status == 0); /* there is nothing in it that could fail */
  (void)status;
}
