"""What the management API takes and gives for releases, promotions and rollouts. No logic: services decide."""
