"""The worker's own side: what runs in the process that has MLX, its arrays and the base."""
