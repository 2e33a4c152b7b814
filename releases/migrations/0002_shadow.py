from django.db import migrations, models

PLANS = """
CREATE OR REPLACE FUNCTION releases_require_shadow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Plans that were approved before there were shadow steps are followed to their end.
  IF TG_OP = 'UPDATE' AND NEW.plan = OLD.plan THEN
    RETURN NEW;
  END IF;
  IF NEW.plan->'steps'->0->>'kind' IS DISTINCT FROM 'shadow' AND EXISTS (
    SELECT FROM releases_deployment deployment JOIN core_environment environment ON environment.id = deployment.environment_id
    WHERE deployment.id = NEW.deployment_id AND environment.kind = 'production')
  THEN
    RAISE EXCEPTION 'a plan for production begins with a shadow step' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER releases_promotion_begins_in_shadow BEFORE INSERT OR UPDATE OF plan ON releases_promotion
  FOR EACH ROW EXECUTE FUNCTION releases_require_shadow();
"""

STEPS = """
CREATE OR REPLACE FUNCTION releases_require_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.step_index > OLD.step_index + 1 THEN
    RAISE EXCEPTION 'a rollout takes its steps one by one' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.weight_bp > 0 AND NEW.weight_bp > coalesce((
    SELECT (promotion.plan->'steps'->NEW.step_index->>'weight_bp')::int FROM releases_promotion promotion
    WHERE promotion.id = NEW.promotion_id), 0)
  THEN
    RAISE EXCEPTION 'a rollout has at most the weight of its step' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER releases_rollout_follows_its_plan BEFORE INSERT OR UPDATE OF step_index, weight_bp ON releases_rollout
  FOR EACH ROW EXECUTE FUNCTION releases_require_steps();
"""


class Migration(migrations.Migration):
    """Shadow steps: what nodes copy to the candidate, and no way to production's users around them."""

    dependencies = [("releases", "0001_initial")]
    operations = [
        migrations.AddField("rollout", "mirrored_bp", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField(
            "historicalrollout", "mirrored_bp", models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.RunSQL(PLANS, "DROP FUNCTION releases_require_shadow() CASCADE"),
        migrations.RunSQL(STEPS, "DROP FUNCTION releases_require_steps() CASCADE"),
    ]
