"""The MLX leaf: one frozen base in a worker process, that trains adapters and answers with them.

MLX's own memory limits are soft and its arrays live in the process that made them. So a worker
(`inside`) holds base, adapters and optimisers; the run talks to it in JSON lines (`worker`), looks
at its memory from outside, and survives its death. Batches, mask, schedule and seeds are ours, as
in the torch leaf; models and LoRA layers are mlx-lm's and mlx-vlm's.
"""
