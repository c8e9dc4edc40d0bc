"""Two small tabs on real services, to test the frame without the product's tabs."""
