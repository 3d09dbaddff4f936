"""What the business wants: projects."""
