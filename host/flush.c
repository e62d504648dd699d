/* flush.c - the list of those who have something to write. */
#include "host/flush.h"

#include <stddef.h>

#include "host/host.h"

void flush_add(struct host *host, struct flush *flush) {
  if (flush->link != NULL) return;
  flush->next = host->flushes;
  flush->link = &host->flushes;
  if (flush->next != NULL) flush->next->link = &flush->next;
  host->flushes = flush;
  host->has_sent = true;
}

void flush_remove(struct flush *flush) {
  if (flush->link == NULL) return;
  *flush->link = flush->next;
  if (flush->next != NULL) flush->next->link = flush->link;
  flush->link = NULL;
}

bool flush_is_added(const struct flush *flush) {
  return flush->link != NULL;
}

void flush_all(struct host *host) {
  while (host->flushes != NULL) {
    struct flush *flush = host->flushes;
    flush_remove(flush);
    flush->run(flush);
  }
}
