/*
 * What is done in slices behind the flush: folding, retention, checkpoints, what waits
 * too long in outboxes, and whether the disk is full (custody.md).
 */
#ifndef CORE_UPKEEP_H
#define CORE_UPKEEP_H

struct proxy;

void upkeep_init(struct proxy *);
void upkeep_fini(struct proxy *);
/* At the end of each turn. */
void upkeep_slice(struct proxy *);

#endif
