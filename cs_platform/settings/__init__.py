"""Settings: `development` on a laptop, `production` in the image, `test` under pytest; `base` is what they share."""
