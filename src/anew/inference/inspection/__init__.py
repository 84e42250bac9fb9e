"""What a network looks at: its cost, receptive field, saliency, feature maps, and how robust it is; without torch."""
