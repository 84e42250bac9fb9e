"""Complete, typed training configurations, as functions; ``RECIPES`` is the list that ``anew train`` reads."""

from __future__ import annotations

from collections.abc import Callable

from anew.recipes import classify, damage, deblock, denoise, flow, gan, real_noise, upscale, vae
from anew.training.config import TrainingConfig

RECIPES: dict[str, Callable[[], TrainingConfig]] = {
    "damage-masks": damage.damage_masks,
    "dcgan-plain": gan.dcgan_plain,
    "deblock": deblock.deblock_unet,
    "denoise": denoise.denoise_unet,
    "denoise-fast": denoise.denoise_fast,
    "denoise-grey": denoise.denoise_grey,
    "denoise-attention": denoise.denoise_attention,
    "denoise-autoencoder": denoise.denoise_autoencoder,
    "denoise-dncnn": denoise.denoise_dncnn,
    "denoise-lstm": denoise.denoise_lstm,
    "denoise-recurrent": denoise.denoise_recurrent,
    "denoise-scan": denoise.denoise_scan,
    "features-digits": classify.features_digits,
    "features-faces": classify.features_faces,
    "features-fashion": classify.features_fashion,
    "features-photos": classify.features_photos,
    "flow": flow.flow,
    "flow-digits": flow.flow_digits,
    "flow-faces": flow.flow_faces,
    "flow-fashion": flow.flow_fashion,
    "gan": gan.gan,
    "gan-digits": gan.gan_digits,
    "gan-faces": gan.gan_faces,
    "gan-fashion": gan.gan_fashion,
    "gan-textures": gan.gan_textures,
    "judge-digits": classify.judge_digits,
    "judge-fashion": classify.judge_fashion,
    "real-noise": real_noise.real_noise_unet,
    "upscale": upscale.upscale_x2,
    "upscale-espcn": upscale.upscale_espcn,
    "upscale-robust": upscale.upscale_robust,
    "upscale-srcnn": upscale.upscale_srcnn,
    "upscale-x2": upscale.upscale_x2,
    "upscale-x3": upscale.upscale_x3,
    "upscale-x4": upscale.upscale_x4,
    "vae": vae.vae,
    "vae-digits": vae.vae_digits,
    "vae-fashion": vae.vae_fashion,
    "wgan-gp-plain": gan.wgan_gp_plain,
}
