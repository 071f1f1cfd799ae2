"""The Hugging Face hub: this machine's copies, downloads, errors, licences."""
