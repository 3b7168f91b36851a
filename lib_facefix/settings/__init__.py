"""Settings, declared once, and what people write in them: masks, detectors, prompts, face numbers, sizes."""
