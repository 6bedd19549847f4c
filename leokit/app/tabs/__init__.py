"""The tabs of the page, one file each: the work, as a function without Gradio, and the layout."""
