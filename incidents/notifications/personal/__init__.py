"""What people are told about promotions, rollouts and incidents, and how their messages read."""
